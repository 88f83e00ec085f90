"""The distance of reconstructions in the maps of an extractor: feature_distance.py."""

import numpy as np

from gan_vae.evaluation.metrics import LOWER, ModelMetric


def compute(model, name: str) -> dict[str, tuple[float, str]]:
    from gan_vae import extractors
    from gan_vae.evaluation.feature_distance import distance

    extractor = extractors.load(name)
    distances = [distance(extractor, *pair) for pair in model.reconstructions()]
    how = f'of reconstructions, {extractor.title}'
    return {'{name}': (float(np.concatenate(distances).mean()), how)}


METRIC = ModelMetric(
    needs=('latents.encode', 'reconstruct'),
    compute=compute,
    gives={'{name}': LOWER},
    argument='extractor',
)
