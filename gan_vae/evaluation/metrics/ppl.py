"""Perceptual path length of a decoder or generator, in the maps of an extractor.

At random points of arcs of the prior: Karras et al. 2019, arXiv:1812.04948; see
path_length.py.
"""

from functools import partial

import numpy as np

from gan_vae.evaluation.metrics import LOWER, ModelMetric

EPSILON = 1e-3  # the step: float32 pictures do not resolve 1e-4


def compute(model, name: str, paths: int = 1000) -> dict[str, tuple[float, str]]:
    import jax

    from gan_vae import extractors
    from gan_vae.evaluation.feature_distance import distance
    from gan_vae.evaluation.path_length import mean_path_length, path_length, slerp
    from gan_vae.evaluation.trained_model import BATCH

    extractor = extractors.load(name)
    rng = np.random.default_rng(0)
    decode = jax.jit(model.capability('latents.decode'))
    size, lengths = model.program.method.latents.size, []
    for _ in range(0, paths, BATCH):
        z0, z1 = rng.standard_normal((2, BATCH, size))
        lengths.append(
            path_length(
                lambda z: 127.5 * (decode(model.weights, z.astype(np.float32)) + 1),
                partial(distance, extractor),
                z0,
                z1,
                rng.random(BATCH),
                epsilon=EPSILON,
                interpolate=slerp,
            )
        )
    value = mean_path_length(np.concatenate(lengths))
    how = f'{paths} arcs of the prior, epsilon {EPSILON}, {extractor.title}'
    return {'{name}': (value, how)}


METRIC = ModelMetric(
    needs=('latents.decode',),
    compute=compute,
    gives={'{name}': LOWER},
    argument='extractor',
    options={'paths': 1000},
)
