"""What each latent unit, or each code of an InfoGAN, does: pictures along it.

A VAE: a row for each unit, by KL(q(z_u | x) || N(0, 1)) over held-out images, the most
first. Its number goes from -3 to 3, the others stay at the posterior mean of one image.
An InfoGAN: a row of samples for each category, the noise of a column the same in all;
then for each continuous code three rows, of one noise and category each, along which it
goes from -1.5 to 1.5 (it was trained from -1 to 1).
"""

import jax
import numpy as np

from gan_vae.art.tools import Model
from gan_vae.errors import UserError
from gan_vae.evaluation import latents
from gan_vae.evaluation.latents import COLUMNS, VALUES, along, by_kl
from gan_vae.methods import sampling
from gan_vae.methods.contract import capability
from gan_vae.runs.seen import of_method
from gan_vae.runs.seen import seen as seen_of

ROWS, SEEN = 3, 1000


def of_codes(noise: np.ndarray, categories: int, continuous: int) -> np.ndarray:
    """[rows, n, D] from noise [n, D] whose last numbers are the codes."""
    start = noise.shape[1] - categories - continuous
    plain = noise.copy()
    plain[:, start:] = 0
    rows = []
    for k in range(categories):
        rows.append(plain.copy())
        rows[-1][:, start + k] = 1
    values = np.linspace(-1.5, 1.5, len(noise))
    for code in range(start + categories, noise.shape[1]):
        for z in noise[:ROWS]:
            z = z.copy()
            z[start + categories :] = 0
            rows.append(along(z, [code], values)[0])
    return np.stack(rows)


def pictures(model: Model, seed: int = 0) -> tuple[np.ndarray, str]:
    """uint8 [rows * COLUMNS, H, W, C], and what the rows are."""
    method, weights, config = model.method, model.weights, model.config
    label = None
    codes = ('code_categories', 'code_continuous')
    categories, continuous = (config.model.get(name, 0) for name in codes)
    if capability(method, 'latents.posterior'):
        seen = seen_of(config.data, config.data.eval_split, SEEN, seed)
        seen = list(of_method(method, seen))
        posterior = jax.jit(method.latents.posterior)
        mean, log_variance = (
            np.concatenate(part)
            for part in zip(*(posterior(weights, *xs) for xs in seen), strict=True)
        )
        if method.classes:
            label = np.concatenate([labels for _, labels in seen])[seed % len(mean)]
        kl = latents.kl_per_unit(mean, log_variance)
        units = by_kl(kl)
        z = along(mean[seed % len(mean)], units, VALUES)
        message = 'units, with nats of KL: ' + ', '.join(
            f'{unit} {kl[unit]:.2f}' for unit in units
        )
    elif categories + continuous:
        noise = np.array(method.latents.prior(jax.random.key(seed), COLUMNS))
        z = of_codes(noise, categories, continuous)
        message = f'{categories} categories, then {ROWS} rows for each of {continuous}'
    else:
        name = model.about['config']
        raise UserError(f'{name} has neither an encoder nor codes to go along')
    z = z.reshape(-1, z.shape[-1])
    return sampling.decode(method, weights, z, label), message
