"""Penalties on D's gradient in its images: WGAN-GP, DRAGAN, R1, R2 and MA-GP.

The gradient of D(T(x)) in x, the image before its augmentation T: Karras et al. 2020,
arXiv:2006.06676.
"""

import jax

from gan_vae.learning.optimizers import half_cosine
from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import penalties


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """The penalty of config.method.penalty."""
    name = settings.penalty
    if not name:
        return {}
    interval = settings.penalty_interval
    if name in ('r1', 'r2', 'r1_r2'):
        weight, end = settings.penalty_gamma, settings.penalty_gamma_end
        moves = f'({weight:g} to {end:g})' if end >= 0 else f'{weight:g}'
        formula = f'{moves}/2 {name}'
    else:
        weight, end = settings.penalty_lambda, -1.0
        formula = f'{weight:g} {name}'

    def value(d):
        moved = weight if end < 0 else half_cosine(weight, end, d.progress)
        return PENALTIES[name](moved, d)

    if interval > 1:
        formula += f' every {interval} D updates'
    return {name: Term(formula, value, interval)}


def _uniforms(keys, shape):
    return jax.vmap(lambda key: jax.random.uniform(key, shape))(keys)


def _of_real(d):
    return lambda images: d.logits(d.augment_real(images))


def _of_fake(d):
    return lambda images: d.logits(d.augment_fake(images))


def _wgan_gp(weight, d):
    mix = _uniforms(d.keys, ())
    return penalties.wgan_gp(_of_real(d), d.real, d.fake, mix, weight)


def _dragan(weight, d):
    # the first number of a row is the image's, the others are its pixels'
    draws = _uniforms(d.keys, (1 + d.real[0].size,))
    uniform = draws[:, 1:].reshape(d.real.shape)
    noise = penalties.dragan_noise(uniform, draws[:, 0], d.real)
    return penalties.dragan(_of_real(d), d.real, noise, weight)


def _r1(weight, d):
    return penalties.r1(_of_real(d), d.real, weight)


def _r2(weight, d):
    return penalties.r2(_of_fake(d), d.fake, weight)


def _ma_gp(weight, d):
    return penalties.ma_gp(_of_real(d), d.real, weight)


PENALTIES = {
    'wgan_gp': _wgan_gp,
    'dragan': _dragan,
    'ma_gp': _ma_gp,
    'r1': _r1,
    'r2': _r2,
    'r1_r2': lambda weight, d: _r1(weight, d) + _r2(weight, d),
}
