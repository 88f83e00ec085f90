"""Density and coverage of samples by balls around features: see manifold.py."""

from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import HIGHER, SampleMetric


def compute(real, fake, held_out, seed, k: int = 5) -> dict[str, float]:
    return manifold.density_coverage(real, fake, k)


METRIC = SampleMetric(
    needs='features',
    compute=compute,
    gives={'density': HIGHER, 'coverage': HIGHER},
    options={'k': 5},
    within_classes=True,
    equal_sizes=True,
)
