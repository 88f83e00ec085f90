"""Particle bounds against the Kalman filter of a linear-Gaussian model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.keys import keys_of, normals
from gan_vae.objectives import filtering

DECAY, NOISE, SEEN = (
    0.9,
    0.6,
    0.5,
)  # z_t = DECAY z_{t-1} + NOISE e, x_t = z_t + SEEN e
LENGTH = np.array([12, 7, 12, 1], np.int32)


def data():
    rng = np.random.default_rng(3)
    z, x = np.zeros(len(LENGTH)), []
    for _ in range(LENGTH.max()):
        z = DECAY * z + NOISE * rng.standard_normal(len(LENGTH))
        x.append(z + SEEN * rng.standard_normal(len(LENGTH)))
    return np.array(x, np.float32)


def kalman(x):
    """log p(x_1..T), each step by what is known of z before it."""
    mean, variance, total = 0.0, 0.0, 0.0
    for seen in np.asarray(x, np.float64):
        mean, variance = DECAY * mean, DECAY**2 * variance + NOISE**2
        of_x = variance + SEEN**2
        total -= 0.5 * (np.log(2 * np.pi * of_x) + (seen - mean) ** 2 / of_x)
        gain = variance / of_x
        mean, variance = mean + gain * (seen - mean), (1 - gain) * variance
    return total


def gaussian(x, mean, deviation):
    return (
        -0.5 * jnp.square((x - mean) / deviation)
        - jnp.log(deviation)
        - 0.5 * np.log(2 * np.pi)
    )


def from_prior(z, x, keys):
    """A step whose proposal is the prior: what is seen tells it nothing."""
    noise = jax.vmap(lambda keys: normals(keys, ()))(keys)
    new = DECAY * z + NOISE * noise
    return new, gaussian(x, new, SEEN)


def from_posterior(z, x, keys):
    """A step whose proposal is p(z_t | z_{t-1}, x_t)."""
    noise = jax.vmap(lambda keys: normals(keys, ()))(keys)
    gain = NOISE**2 / (NOISE**2 + SEEN**2)
    mean = DECAY * z + gain * (x - DECAY * z)
    deviation = np.sqrt((1 - gain) * NOISE**2)
    new = mean + deviation * noise
    told = gaussian(x, new, SEEN) + gaussian(new, DECAY * z, NOISE)
    return new, told - gaussian(new, mean, deviation)


def bounds(step, particles, threshold, draws=400, x=None, length=LENGTH):
    """log p^ of draws, log p, and the mean of p^ / p with its standard error."""
    x = data() if x is None else x

    def one(key):
        keys = keys_of(key, jnp.arange(len(length)))
        begin = jnp.zeros((particles, len(length)))
        return filtering.log_evidence(
            step, begin, x, jnp.asarray(length), keys, particles, threshold
        )

    found = jax.jit(jax.vmap(one))(keys_of(jax.random.key(0), jnp.arange(draws)))
    found = np.asarray(found, np.float64)
    exact = np.array([kalman(x[:n, b]) for b, n in enumerate(length)])
    ratio = np.exp(found - exact)
    return found, exact, ratio.mean(0), ratio.std(0) / np.sqrt(draws)


@pytest.mark.parametrize(
    ('step', 'threshold'),
    [
        (from_prior, 0.5),
        (from_posterior, 0.0),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                (from_prior, 0.0),
                (from_prior, 1.1),
                (from_posterior, 0.5),
                (from_posterior, 1.1),
            )
        ),
    ],
)
def test_the_estimate_is_unbiased(step, threshold):
    """Resampled never, sometimes and at every step: 1.1 of N is never reached."""
    length = np.array([5, 3, 4, 1])  # weights of more have tails too long to average
    _, _, mean, error = bounds(step, 16, threshold, draws=3000, length=length)
    assert (np.abs(mean - 1) < 4 * error + 1e-4).all()
    assert (error < 0.05).all()


@pytest.mark.slow
def test_elbo_iwae_fivo_and_the_evidence_are_in_order():
    elbo, iwae, fivo = (
        bounds(from_prior, n, threshold)[0].mean(0)[[0, 2]].sum()
        for n, threshold in ((1, 0.0), (16, 0.0), (16, 0.5))
    )
    found, exact, *_ = bounds(from_prior, 256, 0.5)
    exact, many = exact[[0, 2]].sum(), found.mean(0)[[0, 2]].sum()
    assert elbo < iwae < fivo < many < exact + 0.02
    assert exact - many < 0.25 < 2 < exact - iwae


def test_with_one_step_the_posterior_as_proposal_is_exact():
    found, exact, *_ = bounds(from_posterior, 4, 0.5, draws=3)
    np.testing.assert_allclose(found[:, 3], exact[3], rtol=1e-5)


def test_padding_and_the_rest_of_the_batch_change_nothing():
    x = data()
    longer = np.concatenate([x, np.full((5, 4), 7.0, np.float32)])
    whole = bounds(from_prior, 8, 0.5, 5)[0]
    padded = bounds(from_prior, 8, 0.5, 5, longer)[0]
    np.testing.assert_allclose(whole, padded, rtol=1e-6)
    alone = bounds(from_prior, 8, 0.5, 5, x[:, :1], LENGTH[:1])[0]
    np.testing.assert_allclose(whole[:, :1], alone, rtol=1e-5)


def test_resampling_is_unbiased_and_even():
    log_w = jnp.log(jnp.array([0.5, 0.1, 0.25, 0.05, 0.1])) + 100
    keys = keys_of(jax.random.key(1), jnp.arange(4000))
    chosen = np.asarray(jax.vmap(lambda k: filtering.systematic(k, log_w))(keys))
    counts = np.stack([(chosen == i).sum(1) for i in range(5)], 1)
    np.testing.assert_allclose(counts.mean(0), 5 * np.exp(log_w - 100), atol=0.04)
    # each as often as its share, rounded down or up
    assert (np.abs(counts - 5 * np.exp(np.asarray(log_w) - 100)) < 1 + 1e-5).all()
    effective = np.exp(filtering.log_effective(log_w[:, None]))
    np.testing.assert_allclose(effective, 1 / 0.335, rtol=1e-4)
