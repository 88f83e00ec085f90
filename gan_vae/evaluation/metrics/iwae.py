"""The bound of K importance samples: nats, and bits per dimension where it is one.

See importance.py. Of sequences it is in nats a step, of K draws of all latents.
"""

import numpy as np

from gan_vae.evaluation.metrics import HIGHER, ModelMetric


def compute(model, count: str) -> dict[str, tuple[float, str]]:
    import jax

    from gan_vae.evaluation import importance
    from gan_vae.evaluation.trained_model import PER_STEP
    from gan_vae.keys import purpose_key
    from gan_vae.objectives.likelihoods import GAUSSIANS

    k, title = int(count), '{name}'
    if model.examples.kind != 'images':
        how = f'K={k} draws of all z, none resampled; {PER_STEP}'
        return {title: (importance.mean_of_steps(model, k, 0.0), how)}
    likelihood = model.config.method.likelihood
    weigh, how = model.capability('density.log_weight'), f'K={k} draws of z'
    if likelihood in GAUSSIANS:
        weigh = importance.dequantised(weigh)
        how += ', uniform dequantisation'
    key = purpose_key(model.weights.key, 'iwae')
    bounds = [
        importance.iwae_bound(
            weigh, model.weights, jax.random.fold_in(key, number), x, k
        )
        for number, x, _ in model.batches()
    ]
    nats = float(np.concatenate(bounds).mean())
    results = {title: (nats, f'nats per example, {how}')}
    if likelihood != 'continuous_bernoulli':  # see bits_per_dim
        shape = model.examples.images.shape[1:]
        bits = importance.bits_per_dim(nats, shape, likelihood)
        results['bits_per_dim'] = (bits, f'of {likelihood}, {how}')
    return results


METRIC = ModelMetric(
    needs=('density.log_weight', 'density.particle_bound'),
    compute=compute,
    gives={'{name}': HIGHER},
    argument='number',
    sequences=True,
)
