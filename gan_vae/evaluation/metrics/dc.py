"""Density and coverage of samples by balls around features: see manifold.py."""

from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import HIGHER, SampleMetric

METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed, k=5: manifold.density_coverage(
        real, fake, k
    ),
    gives={'density': HIGHER, 'coverage': HIGHER},
    options={'k': 5},
    within_classes=True,
    equal_sizes=True,
)
