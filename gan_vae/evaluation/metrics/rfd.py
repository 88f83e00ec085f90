"""Fréchet distance (fd.py) of reconstructions to the very pictures that they are of."""

import numpy as np

from gan_vae.evaluation.metrics import LOWER, ModelMetric


def compute(model, name: str) -> dict[str, tuple[float, str]]:
    from gan_vae import extractors
    from gan_vae.evaluation.metrics import fd
    from gan_vae.extractors.features import extract

    extractor = extractors.load(name)
    pairs = zip(*model.reconstructions(), strict=True)
    real, again = (
        extract(extractor, np.concatenate(p), model.program.mesh)['features']
        for p in pairs
    )
    how = f'of reconstructions to what they are of, {extractor.title}'
    return {'{name}': (fd.distance_of(real, again), how)}


METRIC = ModelMetric(
    needs=('latents.encode', 'reconstruct'),
    compute=compute,
    gives={'{name}': LOWER},
    argument='extractor',
)
