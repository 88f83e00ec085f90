"""What a network says of the next step of a sequence: log p(x_t | outputs), and draws.

  rolls    prod_k Bernoulli(x_k; l_k) of 88 keys
  strokes  sum_j pi_j N((dx, dy); mu_j, Sigma_j) * Cat(pen), Sigma_j by two deviations
           and a correlation, pen one of down, lifted, end of the drawing

Graves 2013, arXiv:1308.0850, section 4; Ha & Eck 2017, arXiv:1704.03477. In nats a
step, without a cap: the mixture by logsumexp, deviations from FLOOR on.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import log_softmax, softplus
from jax.typing import ArrayLike

FLOOR = 1e-3  # of a deviation, in units of the set's own
DOWN, LIFTED, END = range(3)


class Emission(NamedTuple):
    """Functions of arrays with any leading dimensions.

    What a model sees of a step, [..., D], and what the network gives for it, [..., O].
    """

    outputs: int
    log_prob: Callable[[jax.Array, jax.Array], jax.Array]  # (outputs, x) -> nats [...]
    # (key, outputs, temperature) -> x; 0: the most probable
    draw: Callable[..., jax.Array]
    bias: Callable[
        [ArrayLike], jax.Array
    ]  # (mean of the set [D]) -> outputs [O] to begin with
    # (values [B, T, D], length [B]) -> x [B, T, D], in which ends are marked
    marked: Callable[[jax.Array, jax.Array], jax.Array]
    plain: Callable[[jax.Array], jax.Array]  # x -> values: the marks taken off
    ends: Callable[
        [jax.Array], jax.Array
    ]  # x [..., D] -> whether the sequence ends with this step
    inputs: Callable[
        [jax.Array, ArrayLike], jax.Array
    ]  # (x, mean of the set [D]) -> what a network takes of a step
    formula: str


def rolls(keys: int) -> Emission:
    """Each key of the piano by itself."""

    def log_prob(outputs: jax.Array, x: jax.Array):
        return jnp.sum(x * outputs - softplus(outputs), -1)

    def draw(key: jax.Array, outputs: jax.Array, temperature: ArrayLike = 1.0):
        noise = jax.random.logistic(key, outputs.shape)
        return (outputs + temperature * noise > 0).astype(jnp.float32)

    def bias(mean: ArrayLike):
        mean = jnp.clip(jnp.asarray(mean), 1e-4, 1 - 1e-4)
        return jnp.log(mean) - jnp.log1p(-mean)

    return Emission(
        outputs=keys,
        log_prob=log_prob,
        draw=draw,
        bias=bias,
        marked=lambda values, length: values,
        plain=lambda x: x,
        ends=lambda x: jnp.zeros(x.shape[:-1], bool),
        inputs=lambda x, mean: x - mean,
        formula=f'prod of {keys} Bernoulli(x)',
    )


def strokes(mixtures: int) -> Emission:
    """`mixtures` Gaussians of the way to the next point, and the state of the pen.

    Outputs: logits of the components, their means (x, y), log deviations (x, y) and
    correlations before tanh, each [mixtures]; then logits of the pen [3].
    """

    def parts(outputs: jax.Array):
        *gaussians, pen = jnp.split(
            outputs, [mixtures * n for n in range(1, 7)], axis=-1
        )
        logits, *mean, x, y, r = gaussians
        # softplus: a deviation grows no faster than its output
        deviation = [softplus(raw + math.log(math.e - 1)) + FLOOR for raw in (x, y)]
        return logits, mean, deviation, 0.99 * jnp.tanh(r), pen

    def log_prob(outputs: jax.Array, x: jax.Array):
        logits, mean, deviation, r, pen = parts(outputs)
        u, v = ((x[..., n, None] - mean[n]) / deviation[n] for n in range(2))
        rest = 1 - jnp.square(r)
        # (u^2 + v^2 - 2 r u v) / (1 - r^2), without its cancellation
        square = jnp.square(u) + jnp.square(v - r * u) / rest
        each = -0.5 * square - math.log(2 * math.pi) - 0.5 * jnp.log(rest)
        each -= jnp.log(deviation[0]) + jnp.log(deviation[1])
        ways = jax.nn.logsumexp(log_softmax(logits) + each, -1)
        state = jax.nn.one_hot(x[..., 2], 3)
        return ways + jnp.sum(log_softmax(pen) * state, -1)

    def draw(key: jax.Array, outputs: jax.Array, temperature: ArrayLike = 1.0):
        logits, mean, deviation, r, pen = parts(outputs)
        at, of_pen, noise = jax.random.split(key, 3)
        gumbel = jax.random.gumbel(at, logits.shape)
        chosen = jnp.argmax(logits + temperature * gumbel, -1)[..., None]

        def of(values: jax.Array):
            return jnp.take_along_axis(values, chosen, -1)[..., 0]

        a, b = jnp.moveaxis(jax.random.normal(noise, (*chosen.shape[:-1], 2)), -1, 0)
        # a variance times the temperature, so a deviation times its root
        a, b = (jnp.sqrt(temperature) * n for n in (a, b))
        r = of(r)
        b = r * a + jnp.sqrt(1 - jnp.square(r)) * b
        ways = [
            of(m) + of(d) * n for m, d, n in zip(mean, deviation, (a, b), strict=True)
        ]
        gumbel = jax.random.gumbel(of_pen, pen.shape)
        state = jnp.argmax(pen + temperature * gumbel, -1)
        return jnp.stack([*ways, state.astype(jnp.float32)], -1)

    def marked(values: jax.Array, length: jax.Array):
        last = jnp.arange(values.shape[1]) == length[:, None] - 1
        return values.at[..., 2].set(jnp.where(last, END, values[..., 2]))

    return Emission(
        outputs=6 * mixtures + 3,
        log_prob=log_prob,
        draw=draw,
        bias=lambda mean: jnp.zeros(6 * mixtures + 3),
        marked=marked,
        plain=lambda x: x.at[..., 2].set(jnp.minimum(x[..., 2], LIFTED)),
        ends=lambda x: x[..., 2] == END,
        inputs=lambda x, mean: jnp.concatenate(
            [x[..., :2], jax.nn.one_hot(x[..., 2], 3)], -1
        ),
        formula=f'mixture of {mixtures} Gaussians of (dx, dy), and the pen',
    )
