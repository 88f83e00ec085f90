"""Precision and recall of samples by balls around features: see manifold.py."""

from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import HIGHER, SampleMetric


def compute(real, fake, held_out, seed, k: int = 3) -> dict[str, float]:
    return manifold.precision_recall(real, fake, k)


METRIC = SampleMetric(
    needs='features',
    compute=compute,
    gives={'precision': HIGHER, 'recall': HIGHER},
    options={'k': 3},
    within_classes=True,
    equal_sizes=True,
)
