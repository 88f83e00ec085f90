"""Penalties on D's gradient in its images: WGAN-GP, DRAGAN, R1 and R2."""

import jax

from gan_vae.methods.gan.terms import Term
from gan_vae.objectives import penalties


def discriminator_terms(settings, networks) -> dict[str, Term]:
    """The penalty of config.method.penalty."""
    name, interval = settings.penalty, settings.penalty_interval
    if not name:
        return {}
    if name in ('r1', 'r2', 'r1_r2'):
        weight = f'{settings.penalty_gamma:g}/2 '
    else:
        weight = f'{settings.penalty_lambda:g} '
    lazily = f' every {interval} D updates' if interval > 1 else ''
    value = PENALTIES[name](settings)
    return {name: Term(f'{weight}{name}{lazily}', value, interval)}


def _uniforms(keys, shape):
    return jax.vmap(lambda key: jax.random.uniform(key, shape))(keys)


def _wgan_gp(settings):
    return lambda d: penalties.wgan_gp(
        d.logits, d.real, d.fake, _uniforms(d.keys, ()), settings.penalty_lambda
    )


def _dragan(settings):
    def value(d):
        # the first number of a row is the image's, the others are its pixels'
        draws = _uniforms(d.keys, (1 + d.real[0].size,))
        uniform = draws[:, 1:].reshape(d.real.shape)
        noise = penalties.dragan_noise(uniform, draws[:, 0], d.real)
        return penalties.dragan(d.logits, d.real, noise, settings.penalty_lambda)

    return value


def _r1(settings):
    return lambda d: penalties.r1(d.logits, d.real, settings.penalty_gamma)


def _r2(settings):
    return lambda d: penalties.r2(d.logits, d.fake, settings.penalty_gamma)


def _r1_r2(settings):
    return lambda d: _r1(settings)(d) + _r2(settings)(d)


PENALTIES = {
    'wgan_gp': _wgan_gp,
    'dragan': _dragan,
    'r1': _r1,
    'r2': _r2,
    'r1_r2': _r1_r2,
}
