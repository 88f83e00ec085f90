"""The mutual information gap of posterior means: see disentanglement.py."""

from gan_vae.evaluation import disentanglement
from gan_vae.evaluation.metrics import HIGHER, ModelMetric


def compute(model) -> dict[str, tuple[float, str]]:
    from gan_vae.evaluation.trained_model import BINS

    value = disentanglement.mig(*model.codes())
    return {'mig': (value, f'posterior means, factors in {BINS} bins')}


METRIC = ModelMetric(needs=('latents.encode',), compute=compute, gives={'mig': HIGHER})
