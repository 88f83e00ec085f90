"""The ELBO: reductions, bounds, and an exact case."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.config import Reads
from gan_vae.data.source import Examples, Spec
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out
from gan_vae.training.program import build

SPEC = Spec(16, 16, 3)


@pytest.fixture(scope='module')
def made():
    """What `vae` has made, by config: what was compiled of it is compiled once."""
    return {}


@pytest.fixture
def vae(config, made):
    config.data.image_size = 16
    config.method.name = 'vae'

    def make(**changes):
        changes = {k.replace('__', '.'): v for k, v in changes.items()}
        config.update_from_flattened_dict(changes)
        if (key := config.to_json()) not in made:
            method = methods.make(Reads(config.copy_and_resolve_references()), SPEC)
            names = ('init', 'train_step', 'evaluate_step', 'log_prob')
            jitted = {name: jax.jit(getattr(method, name)) for name in names}
            made[key] = method._replace(**jitted), jitted['init'](jax.random.key(0))
        return made[key]

    return make


def batch(n, seed=0):
    x = jax.random.uniform(jax.random.key(seed), (n, 16, 16, 3), minval=-1)
    return {'image': x, 'index': jnp.arange(n), 'mask': jnp.ones(n)}


def test_loss_is_reconstruction_plus_beta_kl_in_nats_per_example(vae):
    method, state = vae(method__beta=4.0)
    _, m = method.train_step(state, batch(8))
    np.testing.assert_allclose(m['loss'], m['reconstruction'] + 4 * m['kl'], rtol=1e-6)
    np.testing.assert_allclose(m['elbo'], -m['reconstruction'] - m['kl'], rtol=1e-6)
    assert m['kl'] >= 0


def test_warm_up_grows_linearly_and_evaluation_is_always_the_elbo(vae):
    method, state = vae(method__beta=2.0, method__beta_warmup_steps=4)
    seen = []
    for number in range(6):
        state, metrics = method.train_step(state, batch(8, number))
        seen.append(float(metrics['beta']))
    np.testing.assert_allclose(seen, [0.5, 1.0, 1.5, 2.0, 2.0, 2.0])
    sums = method.evaluate_step(state, batch(8))
    np.testing.assert_allclose(
        sums['elbo'], -sums['reconstruction'] - sums['kl'], rtol=1e-5
    )


def test_losses_are_means_of_per_example_sums(vae):
    """Evaluation of a batch is the sum over its examples: no hidden 1/D or 1/B."""
    method, state = vae()
    whole = method.evaluate_step(state, batch(6))
    parts = [
        method.evaluate_step(state, {k: v[i : i + 2] for k, v in batch(6).items()})
        for i in (0, 2, 4)
    ]
    for name in ('elbo', 'kl', 'reconstruction', 'count'):
        np.testing.assert_allclose(whole[name], sum(p[name] for p in parts), rtol=1e-5)


def test_evaluation_does_not_depend_on_the_batch_size():
    config = config_lib.load('configs/vae_emoji.py:tiny', {'parallel.devices': '2'})
    program = build(config, Spec(32, 32, 3))
    state = jax.jit(program.method.init)(jax.random.key(0))
    images = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)

    def run(size):
        return held_out.evaluate(program, state, Examples(images), size)

    for size in (3, 7, 10):
        for name, value in run(size).items():
            np.testing.assert_allclose(value, run(4)[name], rtol=1e-5)


def test_elbo_is_exact_when_the_posterior_is(vae):
    """A decoder that ignores z and a posterior equal to the prior: ELBO = log p(x)."""
    method, state = vae(method__likelihood='gaussian')
    ema = jax.tree.map(jnp.zeros_like, state.ema)
    x = batch(3)['image']
    found = method.log_prob(state.replace(ema=ema), jax.random.key(0), x)
    exact = -0.5 * jnp.sum(x**2, (1, 2, 3)) - 0.5 * x[0].size * np.log(2 * np.pi)
    np.testing.assert_allclose(found, exact, rtol=1e-5)


def test_log_prob_is_the_evaluated_elbo_on_average(vae):
    method, state = vae()
    found = method.log_prob(state, jax.random.key(1), batch(8)['image'])
    evaluated = method.evaluate_step(state, batch(8))
    assert found.shape == (8,)
    np.testing.assert_allclose(found.sum(), evaluated['elbo'], rtol=0.05)


def test_encode_decode_sample_shapes_and_range(vae):
    method, state = vae()
    z = jax.jit(method.encode)(state, batch(5)['image'])
    again = jax.jit(method.decode)(state, z)
    pictures = jax.jit(method.sample, static_argnums=2)(state, jax.random.key(0), 3)
    assert z.shape == (5, 8) and again.shape == (5, 16, 16, 3)
    assert np.abs(again).max() <= 1 and pictures.shape[0] == 3


def test_training_lowers_the_loss(vae):
    method, state = vae(optimizer__learning_rate=3e-3)
    losses = []
    flat = batch(8) | {
        'image': batch(8)['image'] * 0 + jnp.linspace(-1, 1, 8)[:, None, None, None]
    }
    for _ in range(60):
        state, metrics = method.train_step(state, flat)
        losses.append(float(metrics['loss']))
    assert losses[-1] < losses[0] - 100  # of 886; 706 is the best at scale 1


def test_bernoulli_refuses_grey_pixels(vae):
    with pytest.raises(UserError, match='binary pixels'):
        vae(method__likelihood='bernoulli')
