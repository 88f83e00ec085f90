"""What a config adds to the losses of a GAN's networks: named terms, chosen once.

A term is a function of what its network's update has at hand, `Judged` or `Generated`,
to a weighted scalar. Its name is that of its metric, and of the randomness it draws.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.errors import unknown
from gan_vae.keys import normals
from gan_vae.objectives import augment, penalties, regularisers
from gan_vae.objectives.conditioning import cross_entropy, information


class Judged(NamedTuple):
    """An update of the discriminator, on rows [B] of the batch."""

    real: jax.Array  # images as they are, not augmented
    fake: jax.Array
    shown_real: jax.Array  # T(x), T(G(z)): what D's loss is of
    shown_fake: jax.Array
    on_real: jax.Array  # D(T(x)), D(T(G(z))) [B]
    on_fake: jax.Array
    said: tuple  # what a D that tells class or codes says of both
    logits: Callable  # images -> D(images); leaves D's variables as they are
    label: jax.Array | None  # [B], of both
    latents: jax.Array  # z [B, D]
    generate: Callable  # latents -> T(G(latents)), by the same T as shown_fake
    keys: jax.Array  # [B], the term's own
    extra: dict[str, Any]  # of the state
    step: jax.Array
    update: jax.Array  # D's updates before this one


class Generated(NamedTuple):
    """An update of the generator, on rows [B] of the batch."""

    params: Any
    latents: jax.Array  # z [B, D]
    fake: jax.Array  # G(z), not augmented
    said: Any  # what a D that tells class or codes says of T(G(z))
    label: jax.Array | None  # [B]
    generate: Callable  # latents -> G(latents); leaves G's variables as they are
    keys: jax.Array  # [B], the term's own


def of_discriminator(method, networks) -> dict[str, Callable[[Judged], jax.Array]]:
    """{name: term} of config.method, in the order in which they are added."""
    terms = {}
    if networks.tells == 'class':
        terms['class'] = _of_class(method)
    if networks.tells == 'codes':
        terms['codes'] = lambda d: _of_codes(method, networks, d.said[1], d.latents)
    if method.penalty:
        if method.penalty not in PENALTIES:
            raise unknown('config.method.penalty', method.penalty, PENALTIES)
        term = PENALTIES[method.penalty](method.penalty_weight)
        terms[method.penalty] = _lazy(term, method.penalty_interval)
    for name in _consistencies(method):
        terms[name] = CONSISTENCIES[name](method)
    if method.lecam_weight:
        terms['lecam'] = _lecam(method)
    return terms


def of_generator(method, networks) -> dict[str, Callable[[Generated], jax.Array]]:
    """{name: term} of config.method, in the order in which they are added."""
    terms = {}
    if networks.tells == 'class':
        weight = method.class_weight
        terms['class_g'] = lambda g: weight * cross_entropy(g.said, g.label)
    if networks.tells == 'codes':
        terms['codes_g'] = lambda g: _of_codes(method, networks, g.said, g.latents)
    if 'zcr' in _consistencies(method):
        weight, noise = method.zcr_generator_weight, method.zcr_noise
        terms['zcr_g'] = lambda g: (
            weight * regularisers.diversity(g.fake, g.generate(_near(g, noise)))
        )
    if beta := method.orthogonal_weight:
        terms['orthogonal'] = lambda g: beta * regularisers.orthogonal(g.params)
    return terms


def averages(method, axis_name: str | None) -> tuple[dict, Callable]:
    """What LeCam keeps of D's logits: at the start, and (extra, metrics, step) -> extra
    after an update of D; `metrics`: 'real' and 'fake', this device's mean logits.
    """
    if not method.lecam_weight:
        return {}, lambda extra, metrics, step: extra
    decay, start = method.lecam_decay, method.lecam_start_step

    def updated(extra, metrics, step):
        means = {name: metrics[name] for name in ('real', 'fake')}
        if axis_name is not None:
            means = lax.pmean(means, axis_name)
        now = jnp.where(step < start, 0.0, decay)  # until then, of one batch
        return extra | {
            'lecam': regularisers.lecam_averages(extra['lecam'], means, now)
        }

    return {'lecam': {'real': jnp.zeros(()), 'fake': jnp.zeros(())}}, updated


def constraint(method) -> Callable:
    """What D's parameters go through after each update."""
    if limit := method.clip_weights:
        return lambda params: regularisers.clip_weights(params, limit)
    return lambda params: params


def _of_class(method):
    """Of real images and, as Odena et al. have it, of generated ones."""
    weight, on_fake = method.class_weight, method.class_of_fake

    def term(d):
        value = cross_entropy(d.said[0], d.label)
        if on_fake:
            value += cross_entropy(d.said[1], d.label)
        return weight * value

    return term


def _of_codes(method, networks, said, latents):
    """The bounds of InfoGAN, which both networks raise."""
    prior = networks.prior
    category, continuous = information(
        said, latents[:, -prior.codes :], prior.categories
    )
    weights = method.category_weight, method.continuous_weight
    return -weights[0] * category - weights[1] * continuous


def _uniforms(keys, shape):
    return jax.vmap(lambda key: jax.random.uniform(key, shape))(keys)


def _wgan_gp(weight):
    return lambda d: penalties.wgan_gp(
        d.logits, d.real, d.fake, _uniforms(d.keys, ()), weight
    )


def _dragan(weight):
    def term(d):
        # the first number of a row is the image's, the others are its pixels'
        draws = _uniforms(d.keys, (1 + d.real[0].size,))
        uniform = draws[:, 1:].reshape(d.real.shape)
        noise = penalties.dragan_noise(uniform, draws[:, 0], d.real)
        return penalties.dragan(d.logits, d.real, noise, weight)

    return term


def _r1(gamma):
    return lambda d: penalties.r1(d.logits, d.real, gamma)


def _r2(gamma):
    return lambda d: penalties.r2(d.logits, d.fake, gamma)


def _r1_r2(gamma):
    return lambda d: _r1(gamma)(d) + _r2(gamma)(d)


PENALTIES = {
    'wgan_gp': _wgan_gp,
    'dragan': _dragan,
    'r1': _r1,
    'r2': _r2,
    'r1_r2': _r1_r2,
}


def _lazy(term, interval):
    """`term` at every `interval`-th update alone, and as much heavier: StyleGAN2's lazy
    regularisation (Karras et al. 2019, arXiv:1912.04958, appendix B).
    """
    if interval == 1:
        return term
    return lambda d: lax.cond(
        d.update % interval == 0, lambda: interval * term(d), lambda: jnp.zeros(())
    )


def _cr(method):
    """Of real images. T flips and shifts, as in the paper."""
    weight, change = method.consistency_weight, augment.make('flip,shift')
    return lambda d: (
        weight
        * regularisers.consistency(d.on_real, d.logits(change(d.keys, d.shown_real)))
    )


def _bcr(method):
    """Of real and of generated images, each with its own T."""
    weight, change = method.consistency_weight, augment.make('flip,shift')

    def term(d):
        keys = jax.vmap(jax.random.split)(d.keys)
        real = d.logits(change(keys[:, 0], d.shown_real))
        fake = d.logits(change(keys[:, 1], d.shown_fake))
        return weight * (
            regularisers.consistency(d.on_real, real)
            + regularisers.consistency(d.on_fake, fake)
        )

    return term


def _zcr(method):
    weight, noise = method.zcr_discriminator_weight, method.zcr_noise
    return lambda d: (
        weight
        * regularisers.consistency(d.on_fake, d.logits(d.generate(_near(d, noise))))
    )


def _near(at, noise):
    """z + e, e of N(0, noise^2)."""
    return at.latents + noise * normals(at.keys, at.latents.shape[1:])


CONSISTENCIES = {'cr': _cr, 'bcr': _bcr, 'zcr': _zcr}


def _consistencies(method) -> list[str]:
    names = [name.strip() for name in method.consistency.split(',') if name.strip()]
    for name in names:
        if name not in CONSISTENCIES:
            raise unknown('config.method.consistency', name, CONSISTENCIES)
    return names


def _lecam(method):
    weight, start = method.lecam_weight, method.lecam_start_step

    def term(d):
        value = regularisers.lecam(d.on_real, d.on_fake, d.extra['lecam'])
        return jnp.where(d.step < start, 0.0, weight) * value

    return term
