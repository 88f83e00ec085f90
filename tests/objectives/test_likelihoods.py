"""Likelihoods are probabilities: they sum to one, match closed forms, stay finite."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from gan_vae.errors import UserError
from gan_vae.images import from_uint8
from gan_vae.objectives import likelihoods

CONSTRUCTORS = likelihoods.LIKELIHOODS | {
    'categorical': likelihoods.categorical,
    'continuous_bernoulli': likelihoods.continuous_bernoulli,
    'gaussian_fixed': likelihoods.gaussian_fixed,
    'gaussian_per_pixel': likelihoods.gaussian_per_pixel,
}
LEVELS = from_uint8(np.arange(256, dtype=np.uint8))


def compiled(likelihood):
    """The same, each function of which is one program: the parts take longer."""
    functions = {'log_prob': jax.jit(likelihood.log_prob)}
    functions['mean'] = jax.jit(likelihood.mean)
    if likelihood.pmf:
        functions['pmf'] = jax.jit(likelihood.pmf, static_argnums=3)
    return likelihood._replace(**functions)


def outputs(likelihood, seed=0, scale=1.0):
    draws = np.random.default_rng(seed).standard_normal(likelihood.outputs, np.float32)
    return np.float32(scale) * draws.reshape(1, 1, 1, -1)


def test_bernoulli_is_the_log_probability_of_each_pixel():
    one = compiled(likelihoods.bernoulli(1))
    logits = jnp.array([-2.0, 0.5, 3.0]).reshape(1, 1, 3, 1)
    x = jnp.array([1.0, -1.0, 1.0]).reshape(1, 1, 3, 1)
    p = 1 / (1 + np.exp(-np.asarray(logits).ravel()))
    expected = np.log(p[0]) + np.log(1 - p[1]) + np.log(p[2])
    np.testing.assert_allclose(one.log_prob({}, logits, x)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(one.mean(logits).ravel(), 2 * p - 1, rtol=1e-5)


def test_gaussian_is_scipys_and_its_best_scale_is_the_error():
    one = compiled(likelihoods.gaussian(3))
    x, mean = jax.random.normal(jax.random.key(0), (2, 4, 5, 5, 3))
    params = {'log_scale': jnp.array(-0.3)}
    expected = stats.norm.logpdf(x, mean, np.exp(-0.3)).sum((1, 2, 3))
    np.testing.assert_allclose(one.log_prob(params, mean, x), expected, rtol=1e-5)
    best = jnp.log(jnp.sqrt(jnp.mean((x - mean) ** 2)))
    slope = jax.grad(lambda s: jnp.sum(one.log_prob({'log_scale': s}, mean, x)))
    assert abs(slope(best)) < 1e-2 < abs(slope(best + 0.1))


@pytest.mark.parametrize('logit', [-20.0, -1.02, -0.98, -1e-4, 0.0, 1e-3, 0.5, 3.0])
def test_continuous_bernoulli_integrates_to_one_and_its_mean_is_the_integral(logit):
    one = compiled(likelihoods.continuous_bernoulli(1))
    x = np.linspace(-1, 1, 2001)
    logits = np.full((2001, 1, 1, 1), logit, np.float32)
    p = np.exp(np.asarray(one.log_prob({}, logits, x.reshape(-1, 1, 1, 1)), np.float64))
    assert integrate.simpson(p, x=x) == pytest.approx(1, rel=3e-6)
    mean = integrate.simpson(p * x, x=x)
    np.testing.assert_allclose(one.mean(logits[0]), mean, rtol=1e-5, atol=1e-6)


def test_continuous_bernoulli_is_the_papers_formula():
    """p(u) = C l^u (1 - l)^(1 - u), C = 2 atanh(1 - 2 l) / (1 - 2 l), du = dx / 2."""
    one = compiled(likelihoods.continuous_bernoulli(1))
    for rate, u in [(0.3, 0.9), (0.501, 0.2), (0.999, 0.0)]:
        constant = 2 * np.arctanh(1 - 2 * rate) / (1 - 2 * rate)
        density = constant * rate**u * (1 - rate) ** (1 - u) / 2
        logit = np.full((1, 1, 1, 1), np.log(rate / (1 - rate)), np.float32)
        found = one.log_prob({}, logit, np.full_like(logit, 2 * u - 1))
        np.testing.assert_allclose(found, np.log(density), rtol=2e-6)


def test_gaussians_of_fixed_scale_and_of_a_scale_for_each_pixel_are_scipys():
    x, mean, log_scale = jax.random.normal(jax.random.key(0), (3, 2, 2, 2, 3))
    one = compiled(likelihoods.gaussian_fixed(3, scale=0.2))
    expected = stats.norm.logpdf(x, mean, 0.2).sum((1, 2, 3))
    np.testing.assert_allclose(one.log_prob({}, mean, x), expected, rtol=1e-5)
    assert '0.2' in one.units
    one = compiled(likelihoods.gaussian_per_pixel(3))
    both = jnp.concatenate([mean, log_scale], axis=-1)
    expected = stats.norm.logpdf(x, mean, np.exp(log_scale)).sum((1, 2, 3))
    np.testing.assert_allclose(one.log_prob({}, both, x), expected, rtol=1e-5)
    np.testing.assert_array_equal(one.mean(both), jnp.clip(mean, -1, 1))


@pytest.mark.parametrize('scale', [0.0, -1.0, float('nan')])
def test_a_gaussian_needs_a_scale(scale):
    with pytest.raises(UserError, match='at least'):
        likelihoods.gaussian_fixed(3, scale)


@pytest.mark.parametrize('levels', [2, 32, 256])
def test_categorical_is_the_softmax_of_each_level_and_channel(levels):
    one = compiled(likelihoods.categorical(2, levels))
    logits = outputs(one, 3, 2.0)
    p = np.asarray(jax.nn.softmax(logits.reshape(2, levels)))
    pairs = np.array([[0, levels - 1], [levels // 2, 1]])
    x = (2 * pairs / (levels - 1) - 1).reshape(2, 1, 1, 2)
    found = one.log_prob({}, np.tile(logits, (2, 1, 1, 1)), x)
    expected = [np.log(p[0, a] * p[1, b]) for a, b in pairs]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    mean = p @ np.linspace(-1, 1, levels)
    np.testing.assert_allclose(one.mean(logits).ravel(), mean, atol=1e-6)
    gray = compiled(likelihoods.categorical(1, levels))
    x = np.linspace(-1, 1, levels).reshape(-1, 1, 1, 1)
    tiled = np.tile(outputs(gray), (levels, 1, 1, 1))
    assert np.exp(gray.log_prob({}, tiled, x)).sum() == pytest.approx(1, rel=1e-5)


def test_categorical_finds_each_eight_bit_pixel():
    """Levels as images carry them, rounded to float32."""
    one = compiled(likelihoods.categorical(1))
    likes = 50 * jnp.eye(256).reshape(256, 1, 1, 256)
    found = one.log_prob({}, likes, LEVELS.reshape(256, 1, 1, 1))
    np.testing.assert_allclose(found, 0, atol=1e-6)


@pytest.mark.parametrize('scale', [0.3, 1.0, 4.0])
@pytest.mark.parametrize('levels', [32, 256])
def test_logistic_mixture_sums_to_one_over_grey_levels(scale, levels):
    one = compiled(likelihoods.logistic_mixture(1, mixtures=4, levels=levels))
    x = np.linspace(-1, 1, levels, dtype=np.float32).reshape(-1, 1, 1, 1)
    tiled = np.broadcast_to(outputs(one, 3, scale), (levels, 1, 1, one.outputs))
    total = np.exp(np.asarray(one.log_prob({}, tiled, x), np.float64)).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-4)


@pytest.mark.slow
def test_logistic_mixture_sums_to_one_over_all_colours_of_a_coarse_chain():
    """P(r, g, b) over all (r, g, b) is a probability."""
    one = likelihoods.logistic_mixture(3, mixtures=2)
    tiled = outputs(one, 1)

    def log_prob(colours):
        x = from_uint8(np.asarray(colours, np.uint8)).reshape(-1, 1, 1, 3)
        return np.asarray(
            one.log_prob({}, jnp.broadcast_to(tiled, (len(x), 1, 1, 20)), x)
        )

    @jax.jit
    def over_red_green(rg):
        b = jnp.asarray(LEVELS)
        x = jnp.concatenate([jnp.broadcast_to(rg, (256, 2)), b[:, None]], 1)
        x = x.reshape(256, 1, 1, 3)
        return jax.nn.logsumexp(
            one.log_prob({}, jnp.broadcast_to(tiled, (256, 1, 1, 20)), x)
        )

    grid = jnp.asarray(list(itertools.product(LEVELS, LEVELS)))
    total = np.exp(
        np.asarray(jax.lax.map(over_red_green, grid, batch_size=512), np.float64)
    )
    np.testing.assert_allclose(total.sum(), 1, rtol=1e-3)
    assert log_prob([[0, 0, 0]])[0] < 0


def test_uniform_limit_is_eight_bits():
    """One very wide logistic: the inner bins are all alike."""
    one = compiled(likelihoods.logistic_mixture(1, mixtures=1))
    wide = jnp.array([0.0, 0.0, 8.0]).reshape(1, 1, 1, 3)
    inner = [
        one.log_prob({}, wide, LEVELS[i].reshape(1, 1, 1, 1))[0] for i in (5, 128, 250)
    ]
    np.testing.assert_allclose(inner, inner[0], rtol=1e-5)


@pytest.mark.parametrize('name', CONSTRUCTORS)
def test_log_probabilities_add_over_pixels_and_not_over_examples(name):
    """Twice the area, twice the nats; twice the batch, the same for each example."""
    one = compiled(CONSTRUCTORS[name](1))
    value = outputs(one, 2)
    x = jnp.full((1, 1, 1, 1), 1.0)
    single = one.log_prob(one.params, value, x)
    tiles = (3, 2, 1, 1)
    many = one.log_prob(one.params, np.tile(value, tiles), np.tile(x, tiles))
    np.testing.assert_allclose(many, np.repeat(2 * single, 3), rtol=1e-6)


@pytest.mark.parametrize('name', CONSTRUCTORS)
@pytest.mark.parametrize('size', [1e2, 1e4])
def test_finite_with_its_gradient_at_extreme_outputs(name, size):
    one = compiled(CONSTRUCTORS[name](3))
    x = jnp.array([-1.0, 1.0, -1.0]).reshape(1, 1, 1, 3)
    with_slope = jax.value_and_grad(lambda o: one.log_prob(one.params, o, x)[0])
    for sign in (1, -1):
        extreme = np.full((1, 1, 1, one.outputs), sign * size, np.float32)
        value, slope = jax.jit(with_slope)(extreme)
        assert np.isfinite(value) and np.isfinite(slope).all()
        assert (np.abs(one.mean(extreme)) <= 1.00001).all()


@pytest.mark.parametrize('name', ['bernoulli', 'categorical', 'logistic_mixture'])
def test_masses_of_levels_are_the_log_probability(name):
    likelihood = compiled(likelihoods.LIKELIHOODS[name](3))
    rng = np.random.default_rng(0)
    levels = rng.integers(0, likelihood.levels, (2, 3, 3, 3))
    levels[0, 0] = 0
    levels[1, 0] = likelihood.levels - 1
    x = np.asarray(2 * levels / (likelihood.levels - 1) - 1, np.float32)
    outputs = rng.normal(size=(2, 3, 3, likelihood.outputs)).astype(np.float32)
    total = 0
    for c in range(3):
        # what comes after a channel says nothing of it: a decoder does not know it yet
        known = np.where(np.arange(3) < c, x, 0)
        mass = np.asarray(likelihood.pmf(likelihood.params, outputs, known, c))
        np.testing.assert_allclose(mass.sum(-1), 1, atol=2e-5)
        chosen = np.take_along_axis(mass, levels[..., c, None], -1)
        total = total + np.log(chosen).sum((1, 2, 3))
    expected = likelihood.log_prob(likelihood.params, outputs, x)
    np.testing.assert_allclose(total, expected, rtol=2e-5)
