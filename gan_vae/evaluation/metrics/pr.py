"""Precision and recall of samples by balls around features: see manifold.py."""

from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import HIGHER, SampleMetric

METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed, k=3: manifold.precision_recall(
        real, fake, k
    ),
    gives={'precision': HIGHER, 'recall': HIGHER},
    options={'k': 3},
    within_classes=True,
    equal_sizes=True,
)
