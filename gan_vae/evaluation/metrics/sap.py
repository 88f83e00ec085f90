"""Separated attribute predictability of posterior means: see disentanglement.py."""

from gan_vae.evaluation import disentanglement
from gan_vae.evaluation.metrics import HIGHER, ModelMetric


def compute(model) -> dict[str, tuple[float, str]]:
    from gan_vae.evaluation.trained_model import BINS

    value = disentanglement.sap(*model.codes_in_parts())
    how = f'posterior means, linear classifiers on two thirds, factors in {BINS} bins'
    return {'sap': (value, how)}


METRIC = ModelMetric(
    needs=('latents.encode',),
    compute=compute,
    gives={'sap': HIGHER},
    packages={'sklearn': 'metrics'},
)
