"""What each unit of a VAE or each code of an InfoGAN does.

A VAE: a row for each unit, by KL(q(z_u | x) || N(0, 1)) over held-out images, the most
first. Its number goes from -3 to 3, the others stay at the posterior mean of one image.
An InfoGAN: a row of samples for each category, the noise of a column the same in all;
then for each continuous code three rows, of one noise and category each, along which it
goes from -1.5 to 1.5 (it was trained from -1 to 1).
"""

import jax
import numpy as np

from gan_vae.art.tools import ModelRequest, Picture, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.evaluation.latents import COLUMNS, VALUES, along, by_kl, kl_per_unit
from gan_vae.methods import sampling
from gan_vae.methods.contract import capability
from gan_vae.runs import seen

ROWS, SEEN = 3, 1000


def make(request: ModelRequest) -> Result:
    model, seed = request.model, request.flags.seed
    method, weights, data = model.method, model.weights, model.config.data
    codes = ('code_categories', 'code_continuous')
    categories, continuous = (model.config.model.get(name, 0) for name in codes)
    label = None
    if capability(method, 'latents.posterior'):
        batches = seen.seen(data, data.eval_split, SEEN, seed)
        batches = list(seen.of_method(method, batches))
        posterior = jax.jit(method.latents.posterior)
        laws = [posterior(weights, *batch) for batch in batches]
        mean, log_variance = map(np.concatenate, zip(*laws, strict=True))
        if method.classes:
            labels = np.concatenate([np.asarray(labels) for _, labels in batches])
            label = labels[seed % len(mean)]
        kl = kl_per_unit(mean, log_variance)
        units = by_kl(kl)
        z = along(mean[seed % len(mean)], units, VALUES)
        each = ', '.join(f'{unit} {kl[unit]:.2f}' for unit in units)
        message = f'units, with nats of KL: {each}'
    elif categories + continuous:
        noise = np.array(method.latents.prior(jax.random.key(seed), COLUMNS))
        z = of_codes(noise, categories, continuous)
        message = f'{categories} categories, then {ROWS} rows for each of {continuous}'
    else:
        name = model.about['config']
        raise UserError(f'{name} has neither a Gaussian of latents nor codes')
    pictures = sampling.decode(method, weights, z.reshape(-1, z.shape[-1]), label)
    return Result(
        pictures=[Picture(image) for image in pictures],
        columns=COLUMNS,
        messages=[message],
    )


def of_codes(noise: np.ndarray, categories: int, continuous: int) -> np.ndarray:
    """[rows, n, D] from noise [n, D] whose last numbers are the codes."""
    start = noise.shape[1] - categories - continuous
    rows = np.repeat(noise[None], categories, 0)
    rows[..., start:] = 0
    for k in range(categories):
        rows[k, :, start + k] = 1
    values = np.linspace(-1.5, 1.5, len(noise))
    first = noise[:ROWS].copy()
    first[:, start + categories :] = 0
    codes = range(start + categories, noise.shape[1])
    moved = [along(z, [code], values) for code in codes for z in first]
    return np.concatenate([rows, *moved])


TOOL = ToolWithModel(make=make)
