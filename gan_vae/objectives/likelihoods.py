"""Likelihoods p(x | z) of images in [-1, 1]: log-probabilities in nats per example.

Each turns a decoder's outputs [B, H, W, outputs] into a law of x [B, H, W, C].
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import log_softmax, logsumexp, sigmoid, softmax, softplus

from gan_vae import modules
from gan_vae.errors import UserError

LOG_SCALE = -7.0  # the least, of pixels in [-1, 1]: below 8-bit rounding


class Likelihood(NamedTuple):
    """log_prob(params, outputs, x) -> [B]; mean(outputs) -> images in [-1, 1]."""

    outputs: int  # channels that the decoder must give
    log_prob: Callable[[Any, jax.Array, jax.Array], jax.Array]
    mean: Callable[[jax.Array], jax.Array]
    units: str  # what the log-probability is a measure of
    params: dict[str, Any] = {}  # what it learns besides the decoder
    levels: int = 0  # that a value can have, from -1 to 1 in equal steps; 0: a density
    # (params, outputs, x, c) -> P of each level of channel c given those of x before
    # it, [B, H, W, levels]; what a codec takes
    pmf: Callable[[Any, jax.Array, jax.Array, int], jax.Array] | None = None


def _total(x: jax.Array):
    return jnp.sum(x, axis=(1, 2, 3))


def bernoulli(channels: int) -> Likelihood:
    """Binary pixels: x in {-1, 1}, log p = -softplus(-x * logit)."""
    return Likelihood(
        outputs=channels,
        log_prob=lambda _, logits, x: -_total(softplus(-x * logits)),
        mean=lambda logits: jnp.tanh(logits / 2),
        units='probability of binary pixels',
        levels=2,
        pmf=lambda _, logits, x, c: sigmoid(
            jnp.stack([-logits[..., c], logits[..., c]], axis=-1)
        ),
    )


def continuous_bernoulli(channels: int) -> Likelihood:
    """Grey pixels under the Bernoulli's formula, normalised: a density on [-1, 1].

    With u = (x + 1) / 2 in [0, 1] and a logit l, p(u) = l exp(l u) / (exp(l) - 1), so
      log p(x) = x l/2 - log(sinh(l/2) / (l/2)) - log 2,  mean of x = coth(l/2) - 2/l.
    Bernoulli's cross-entropy of grey pixels lacks the normaliser and is no likelihood.
    Loaiza-Ganem & Cunningham 2019, arXiv:1907.06845, whose density is that of u: log 2
    more for each value.
    """

    def log_prob(_, logits: jax.Array, x: jax.Array):
        half = logits / 2
        return _total(x * half - _log_sinhc(half) - math.log(2))

    return Likelihood(
        outputs=channels,
        log_prob=log_prob,
        # of an exponential family: the slope of its log normaliser
        mean=lambda logits: jax.grad(lambda h: jnp.sum(_log_sinhc(h)))(logits / 2),
        units='density of pixels in [-1, 1]',
    )


def _log_sinhc(h: jax.Array):
    """log(sinh(h) / h), even and 0 at 0, with an exact slope everywhere."""
    near = jnp.abs(h) < 0.5  # beyond, the series' next term; within, cancellation
    small, size = jnp.where(near, h, 0.0) ** 2, jnp.where(near, 1.0, jnp.abs(h))
    series = small * (1 / 6 - small * (1 / 180 - small * (1 / 2835 - small / 37800)))
    exact = size + jnp.log(-jnp.expm1(-2 * size)) - jnp.log(2 * size)
    return jnp.where(near, series, exact)


def gaussian(channels: int) -> Likelihood:
    """N(mean, s^2) with one learned scale s for all pixels.

    Rybkin et al. 2021, arXiv:2006.13202 (sigma-VAE): s settles at the root mean squared
    error, so that there is no weight to tune. A density in units of [-1, 1]: not
    comparable with a probability of 8-bit pixels.
    """

    return _normal(
        channels,
        lambda params, mean: (mean, params['log_scale']),
        params={'log_scale': jnp.zeros(())},
    )


def _normal(
    channels: int,
    split: Callable[[Any, jax.Array], Sequence[Any]],
    **fields: Any,
) -> Likelihood:
    """N(mean, exp(log_scale)^2) of `split(params, outputs)`; the means come first."""

    def log_prob(params: Any, outputs: jax.Array, x: jax.Array):
        mean, log_scale = split(params, outputs)
        log_scale = jnp.maximum(log_scale, LOG_SCALE)
        z = (x - mean) * jnp.exp(-log_scale)
        return _total(-0.5 * z * z - log_scale - 0.5 * math.log(2 * math.pi))

    defaults: dict[str, Any] = {
        'outputs': channels,
        'units': 'density of pixels in [-1, 1]',
    }
    return Likelihood(
        log_prob=log_prob,
        mean=lambda outputs: jnp.clip(outputs[..., :channels], -1, 1),
        **defaults | fields,
    )


def gaussian_fixed(channels: int, scale: float = 1.0) -> Likelihood:
    """N(mean, scale^2), `scale` in units of [-1, 1] and not learned.

    The squared error over 2 scale^2, a sum over pixels, and a constant: a change of
    scale is a change of beta by its square. Rybkin et al. 2021, arXiv:2006.13202,
    section 3. Raises UserError for a scale below 8-bit rounding.
    """
    if not scale >= math.exp(LOG_SCALE):
        raise UserError(
            f'config.method.likelihood_scale={scale}: must be at least '
            f'{math.exp(LOG_SCALE):.1g}, in units of images in [-1, 1]'
        )
    return _normal(
        channels,
        lambda _, mean: (mean, math.log(scale)),
        units=f'density of pixels in [-1, 1], scale {scale:g}',
    )


def gaussian_per_pixel(channels: int) -> Likelihood:
    """N(mean, s^2), the decoder's outputs being all means and then all log s.

    Kingma & Welling 2013, arXiv:1312.6114, appendix C.2. log s is at least -7: a pixel
    that never varies would have an unbounded density.
    """

    return _normal(
        channels,
        lambda _, outputs: jnp.split(outputs, 2, axis=-1),
        outputs=2 * channels,
    )


def categorical(channels: int, levels: int = 256) -> Likelihood:
    """A softmax over the grey levels -1, ..., 1 of each channel by itself.

    log P(x) = logit_x - logsumexp(logits); van den Oord et al. 2016, arXiv:1601.06759,
    section 3. No order among levels is built in. Memory: `levels` floats a value, so
    768 outputs a pixel in colour, 3 MiB an example of 32x32 before its gradient; where
    that is too much there is logistic_mixture.
    """
    values = jnp.linspace(-1, 1, levels)

    def split(outputs: jax.Array):
        return outputs.reshape(*outputs.shape[:-1], channels, levels)

    def log_prob(_, outputs: jax.Array, x: jax.Array):
        logits = split(outputs)
        level = jnp.round((x + 1) * (levels - 1) / 2).astype(jnp.int32)
        chosen = jnp.take_along_axis(logits, level[..., None], axis=-1)[..., 0]
        return _total(chosen - logsumexp(logits, axis=-1))

    return Likelihood(
        outputs=channels * levels,
        log_prob=log_prob,
        mean=lambda outputs: jnp.sum(softmax(split(outputs)) * values, axis=-1),
        units=f'probability of {math.log2(levels):g}-bit pixels',
        levels=levels,
        pmf=lambda _, outputs, x, c: softmax(split(outputs)[..., c, :]),
    )


def logistic_mixture(
    channels: int, mixtures: int = 10, levels: int = 256
) -> Likelihood:
    """Discretised mixture of logistics over grey levels, channels in a chain.

    P(x) = sum_k w_k prod_c [F((x_c + h - m_kc) / s_kc) - F((x_c - h - m_kc) / s_kc)],
    F the sigmoid, h = 1 / (levels - 1) half the distance of the levels -1, ..., 1, the
    outer bins open to infinity; m_kc is linear in the channels before c. Salimans et
    al. 2017, arXiv:1701.05517.
    """
    pairs, half = channels * (channels - 1) // 2, 1 / (levels - 1)

    def split(outputs: jax.Array):
        # logits [..., K]; means, log scales [..., C, K]; coefficients [..., pairs, K]
        parts = outputs.reshape(*outputs.shape[:-1], 1 + 2 * channels + pairs, mixtures)
        logits, means = parts[..., 0, :], parts[..., 1 : 1 + channels, :]
        log_scales = parts[..., 1 + channels : 1 + 2 * channels, :]
        log_scales = jnp.maximum(log_scales, LOG_SCALE)
        return logits, means, log_scales, jnp.tanh(parts[..., 1 + 2 * channels :, :])

    def chain(
        means: jax.Array,
        coefficients: jax.Array,
        known: Callable[[int, jax.Array], jax.Array],
    ):
        """Means given the channels before; `known(c, mean_c)` is the value of c."""
        out, values, pair = [], [], 0
        for c in range(channels):
            mean = means[..., c, :]
            for value in values:
                mean = mean + coefficients[..., pair, :] * value
                pair += 1
            out.append(mean)
            values.append(known(c, mean))
        return jnp.stack(out, axis=-2)

    def log_bins(x: jax.Array, means: jax.Array, log_scales: jax.Array):
        """log of each logistic's mass on the level x.

        F(a) - F(b) = F(a) F(-b) (1 - exp(b - a)), exact: no floor; and 1 / F(a) =
        exp(max(-a, 0)) (1 + exp(-|a|)), so that one logarithm is enough.
        """
        inverse = jnp.exp(-log_scales)
        a, b = inverse * (x - means + half), inverse * (x - means - half)
        below, above = 1 + jnp.exp(-jnp.abs(a)), 1 + jnp.exp(-jnp.abs(b))
        width = jnp.maximum(a - b, 1e-12)
        power_a, power_b = jnp.maximum(-a, 0), jnp.maximum(b, 0)
        black, white = x < -0.999, x > 0.999
        power = jnp.where(black, 0, power_b) + jnp.where(white, 0, power_a)
        inside = below * above / -jnp.expm1(-width)
        rest = jnp.where(black, below, jnp.where(white, above, inside))
        return -power - jnp.log(rest)

    def conditioned(outputs: jax.Array, x: jax.Array):
        """Logits, means given the channels before, log scales, and x [..., C, 1]."""
        logits, means, log_scales, coefficients = split(outputs)
        x = x[..., None]
        means = chain(means, coefficients, lambda c, _: x[..., c, :])
        return logits, means, log_scales, x

    def log_prob(_, outputs: jax.Array, x: jax.Array):
        logits, means, log_scales, x = conditioned(outputs, x)
        each = log_bins(x, means, log_scales)
        joint = jnp.sum(each, axis=-2) + log_softmax(logits)
        return jnp.sum(logsumexp(joint, axis=-1), axis=(1, 2))

    def pmf(_, outputs: jax.Array, x: jax.Array, c: int):
        logits, means, log_scales, x = conditioned(outputs, x)
        parts = x[..., :c, :], means[..., :c, :], log_scales[..., :c, :]
        weights = softmax(logits + jnp.sum(log_bins(*parts), axis=-2))
        values = jnp.linspace(-1, 1, levels)

        def mass(k: int):
            here = means[..., c, k, None], log_scales[..., c, k, None]
            return weights[..., k, None] * jnp.exp(log_bins(values, *here))

        return sum((mass(k) for k in range(1, mixtures)), mass(0))

    def mean(outputs: jax.Array):
        logits, means, _, coefficients = split(outputs)
        means = chain(means, coefficients, lambda _, value: value)
        average = jnp.sum(means * softmax(logits)[..., None, :], axis=-1)
        return jnp.clip(average, -1, 1)

    return Likelihood(
        outputs=mixtures * (1 + 2 * channels + pairs),
        log_prob=log_prob,
        mean=mean,
        units=f'probability of {math.log2(levels):g}-bit pixels',
        levels=levels,
        pmf=pmf,
    )


LIKELIHOODS = {
    'bernoulli': bernoulli,
    'categorical': categorical,
    'continuous_bernoulli': continuous_bernoulli,
    'gaussian': gaussian,
    'gaussian_fixed': gaussian_fixed,
    'gaussian_per_pixel': gaussian_per_pixel,
    'logistic_mixture': logistic_mixture,
}
GAUSSIANS = ('gaussian', 'gaussian_fixed', 'gaussian_per_pixel')  # densities on R


def make(name: str, channels: int, mixtures: int, scale: float) -> Likelihood:
    """The Likelihood of that name for pixels of so many channels; of a dotted module of
    the user's own, LIKELIHOOD(channels).

    mixtures: components of logistic_mixture; scale: of gaussian_fixed.
    """
    if '.' in name:
        return _own(name, channels)
    if name == 'logistic_mixture':
        return logistic_mixture(channels, mixtures)
    if name == 'gaussian_fixed':
        return gaussian_fixed(channels, scale)
    return LIKELIHOODS[name](channels)


def _own(name: str, channels: int) -> Likelihood:
    """That of a module of the user's own, if it is one, and its shapes are right."""
    key = 'config.method.likelihood'
    function = modules.own(name, key, 'LIKELIHOOD').LIKELIHOOD
    if not callable(function):
        raise UserError(
            f'{key}={name}: LIKELIHOOD is {type(function).__name__}, no function '
            'of the number of channels'
        )
    likelihood = function(channels)
    if not isinstance(likelihood, Likelihood):
        raise UserError(
            f'{key}={name}: LIKELIHOOD(channels) is {type(likelihood).__name__}, no '
            'gan_vae.objectives.likelihoods.Likelihood'
        )
    x, outputs = (
        jax.ShapeDtypeStruct((4, 8, 8, n), jnp.float32)
        for n in (channels, likelihood.outputs)
    )
    for part, due, arguments in (
        ('log_prob', (4,), (likelihood.params, outputs, x)),
        ('mean', x.shape, (outputs,)),
    ):
        what = f'{key}={name}: {part}'
        shape = modules.shapes(getattr(likelihood, part), what, *arguments)
        if shape != due:
            raise UserError(
                f'{what} gives {shape} of pictures {x.shape}, where {due} is due'
            )
    return likelihood
