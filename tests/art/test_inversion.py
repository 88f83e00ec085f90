"""Linear algebra inverts a linear generator; what a model drew is found again."""

import numpy as np
import pytest

from gan_vae import images
from gan_vae.art import inversion
from gan_vae.art.degradations import LUMA, WHOLE, Blurred, Grey, Hole, Small, kernel
from gan_vae.evaluation.pairs import psnr
from gan_vae.methods import sampling

RNG = np.random.default_rng(0)
WEIGHTS = RNG.standard_normal((5, 8 * 8 * 3)).astype(np.float32) / 10


def linear(state, z, labels):
    return (z @ state).reshape(-1, 8, 8, 3)


def test_a_linear_generator_is_inverted_by_least_squares():
    y = RNG.standard_normal((8, 8, 3)).astype(np.float32)
    starts = RNG.standard_normal((3, 5)).astype(np.float32)
    found = inversion.invert(
        linear, WEIGHTS, y, starts, steps=800, weight=0.0, levels=1
    )
    wanted = np.linalg.lstsq(WEIGHTS.T, y.ravel(), rcond=None)[0]
    np.testing.assert_allclose(found.z, [wanted] * 3, atol=2e-3)
    assert (np.diff(found.loss) >= 0).all()
    # w mean z^2 beside the mean of squares: ridge regression
    ridge = inversion.invert(
        linear, WEIGHTS, y, starts, steps=800, weight=0.05, levels=1
    )
    gram = WEIGHTS @ WEIGHTS.T / y.size + 0.05 / 5 * np.eye(5)
    wanted = np.linalg.solve(gram, WEIGHTS @ y.ravel() / y.size)
    np.testing.assert_allclose(ridge.z[0], wanted, atol=2e-3)


def test_the_best_on_the_way_is_kept():
    y = (np.ones(5, np.float32) @ WEIGHTS).reshape(8, 8, 3)
    wild = inversion.invert(linear, WEIGHTS, y, np.ones((1, 5)), steps=20, rate=50.0)
    np.testing.assert_allclose(wild.z, np.ones((1, 5)), atol=1e-6)


@pytest.mark.slow
def test_samples_of_a_linear_posterior_have_its_mean_and_variance():
    y, deviation = RNG.standard_normal((8, 8, 3)).astype(np.float32), 0.7
    starts = RNG.standard_normal((4000, 5)).astype(np.float32)
    z, accepted = inversion.posterior(
        linear, WEIGHTS, y, starts, deviation, steps=300, seed=1
    )
    precision = WEIGHTS @ WEIGHTS.T / deviation**2 + np.eye(5)
    covariance = np.linalg.inv(precision)
    mean = covariance @ (WEIGHTS @ y.ravel()) / deviation**2
    errors = np.sqrt(np.diag(covariance) / len(z))
    assert np.abs((z.mean(0) - mean) / errors).max() < 4
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.06 * covariance.max())
    assert 0.4 < accepted < 0.8


@pytest.mark.slow
def test_what_a_model_drew_is_found_again(models, opened):
    run = opened(models['vae_emoji'])
    z, decode = sampling.latents(run.method, 0, 5), run.method.latents.decode
    y = images.from_uint8(sampling.decode(run.method, run.weights, z[:1]))[0]
    starts = z[1:]
    for how in (WHOLE, Small(2)):
        seen = np.asarray(how.seen(y[None]))[0]
        found = inversion.invert(
            run.method.latents.decode,
            run.weights,
            seen,
            starts,
            how,
            steps=200,
            weight=1e-5,
        )
        again = np.asarray(decode(run.weights, found.z[:1], None))
        again = images.to_uint8(how.seen(again))
        assert psnr(again, images.to_uint8(seen[None]))[0] > 30


@pytest.mark.parametrize(
    'how',
    [
        WHOLE,
        Hole(),
        Small(2),
        Small(4),
        Blurred(1.3),
        Grey(),
    ],
)
def test_degradations_are_linear_and_of_known_values(how):
    x, other = RNG.standard_normal((2, 2, 8, 8, 3)).astype(np.float32)
    mask = (RNG.random((8, 8, 1)) < 0.6).astype(np.float32)

    def seen(x):
        return np.asarray(how.seen(x, mask))

    np.testing.assert_allclose(
        seen(2 * x + other), 2 * seen(x) + seen(other), atol=1e-5
    )
    flat = np.full_like(x, 0.3)
    np.testing.assert_allclose(seen(flat), 0.3 * seen(np.ones_like(x)), atol=1e-6)
    y = seen(other)
    nearest = np.asarray(how.consistent(x, y, mask))
    if isinstance(how, Hole | Small | Grey):
        np.testing.assert_allclose(seen(nearest), y, atol=1e-5)
        # and nothing nearer: what was added is orthogonal to all that is not seen
        free = RNG.standard_normal(x.shape).astype(np.float32)
        free = np.asarray(how.consistent(free, 0 * y, mask))
        assert abs(np.sum(free * (nearest - x))) < 1e-2
    else:
        np.testing.assert_array_equal(nearest, x)
    if isinstance(how, Grey):
        np.testing.assert_allclose(y[..., 0], other @ LUMA, atol=1e-6)
    if isinstance(how, Small):
        corner = other[0, : how.factor, : how.factor].mean((0, 1))
        np.testing.assert_allclose(y[0, 0, 0], corner, atol=1e-6)
    if isinstance(how, Blurred):
        from scipy import ndimage

        weights = kernel(1.3)
        wanted = ndimage.correlate1d(other, weights, 1, mode='nearest')
        wanted = ndimage.correlate1d(wanted, weights, 2, mode='nearest')
        np.testing.assert_allclose(y, wanted, atol=1e-5)
        assert abs(weights.sum() - 1) < 1e-6
