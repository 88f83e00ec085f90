"""A GAN's networks: by class, by code, and by which statistics they sample."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae import config as config_lib
from gan_vae import methods, models
from gan_vae.config import Reads, default
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.learning.settings import Learning
from gan_vae.methods import latents
from gan_vae.methods.gan import networks as gan_networks
from gan_vae.models.layers import Embed

SPEC = Spec(8, 8, 1, ('cat', 'dog', 'owl'))
ONES = nn.initializers.ones


class Generator(nn.Module):
    """The simplest with classes: BatchNorm of a dense layer, plus a row of a table."""

    classes: int
    axis_name: str | None = None

    @nn.compact
    def __call__(self, z, train=False, *, condition):
        x = nn.BatchNorm(not train, momentum=0.7, axis_name=self.axis_name)(
            nn.Dense(64)(z)
        )
        x = x + Embed(self.classes, 64, nn.initializers.normal(), name='table')(
            condition
        )
        return nn.tanh(x).reshape(-1, 8, 8, 1)


class Projection(nn.Module):
    classes: int

    @nn.compact
    def __call__(self, x, train=False, *, condition):
        x = x.reshape(len(x), -1)
        e = Embed(self.classes, 64, nn.initializers.normal(), name='table')(condition)
        return nn.Dense(1)(x)[:, 0] + jnp.sum(e * x, -1)


class Classifier(nn.Module):
    classes: int

    @nn.compact
    def __call__(self, x, train=False):
        x = x.reshape(len(x), -1)
        return nn.Dense(1)(x)[:, 0], nn.Dense(self.classes, name='classifier')(x)


@pytest.fixture
def networks(config, monkeypatch):
    """make(discriminator, **changes of the config) -> (method, initial state)."""
    known = {'projection': Projection, 'classifier': Classifier, 'made': Generator}

    def make_network(role, name, **fields):
        cls = known[name]
        return cls(**{k: v for k, v in fields.items() if k in cls.__dataclass_fields__})

    monkeypatch.setattr(models, 'make', make_network)
    config.model.generator = 'made'

    def make(discriminator, **changes):
        config.model.discriminator = discriminator
        default.update(config, {f'method.{k}': v for k, v in changes.items()})
        method = methods.make(Reads(config), SPEC)
        return method, jax.jit(method.init)(jax.random.key(0))

    return make


def batch(labels, seed=0):
    shape = (len(labels), 8, 8, 1)
    x = jax.random.uniform(jax.random.key(seed), shape, minval=-1)
    return {'image': x, 'label': jnp.asarray(labels, jnp.int32)}


def rows_moved(before, after, name):
    tables = (s.params[name]['table']['embedding'] for s in (before, after))
    return np.flatnonzero(np.any(np.not_equal(*tables), axis=1)).tolist()


def test_only_the_classes_of_the_batch_are_learned(networks):
    """A generated image has the class of the real one beside it: without owls in the
    batch, neither network learns anything of owls."""
    method, state = networks('projection')
    after, _ = jax.jit(method.train_step)(state, batch([0, 1, 1, 0]))
    assert rows_moved(state, after, 'generator') == [0, 1]
    assert rows_moved(state, after, 'discriminator') == [0, 1]


def test_samples_are_of_the_class_asked_for(networks):
    method, state = networks('projection')
    assert method.classes == 3
    z = method.latents.prior(jax.random.key(1), 6)
    table = state.ema['generator']['params']['table']['embedding']
    asked = jnp.array([2, 2, 0, 1, 1, 0])
    logits = jnp.arctanh(
        method.latents.decode(state.weights(), z, asked).reshape(6, -1)
    )
    plain = (
        jnp.arctanh(method.latents.decode(state.weights(), z, 0 * asked).reshape(6, -1))
        - table[0]
    )
    np.testing.assert_allclose(logits, plain + table[asked], atol=1e-4)
    by_turns = method.generate(state.weights(), jax.random.key(1), 6)
    turns = method.latents.decode(state.weights(), z, jnp.arange(6) % 3)
    np.testing.assert_array_equal(by_turns, turns)


def test_an_auxiliary_classifier_learns_and_teaches_the_class(networks):
    """At a D whose classifier is zero each cross-entropy is log 3, twice in D's loss if
    it learns of generated images too; and G's gradient goes through it."""
    for on_fake, times in ((True, 2), (False, 1)):
        method, state = networks('classifier', class_of_fake=on_fake, class_weight=0.5)
        d = state.params['discriminator']
        silent = jax.tree.map(jnp.zeros_like, d['classifier'])
        state = state.replace(
            params=state.params | {'discriminator': d | {'classifier': silent}}
        )
        after, metrics = jax.jit(method.train_step)(state, batch([0, 1, 2, 1]))
        np.testing.assert_allclose(metrics['class'], 0.5 * times * np.log(3), rtol=1e-6)
        moved = after.params['discriminator']['classifier']['kernel']
        assert bool(jnp.any(moved != 0))
        assert metrics['class_g'] < 0.5 * np.log(3) + 0.1


@pytest.mark.parametrize('cls', [Projection, Classifier])
def test_one_pass_over_both_halves_is_two_passes(cls):
    """A D that sees each image alone; one with BatchNorm keeps the halves apart."""
    learning = Learning(batch_size=5, steps=1)
    networks = gan_networks.pair(
        Generator(3), cls(3), latents.make(4), 'running', learning, SPEC
    )
    key = jax.random.key(0)
    params = networks.init(key, key)['discriminator'].pop('params')
    images = tuple(jax.random.normal(jax.random.key(n), (5, 8, 8, 1)) for n in (1, 2))
    label, index = jnp.array([0, 2, 1, 1, 0]), jnp.arange(5)
    found, _ = networks.compare(params, {}, images, label, [key, key], index)
    for verdict, x in zip(found, images, strict=True):
        alone, _ = networks.judge(params, {}, x, label, key, index)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5), verdict, alone)


def test_standing_statistics_are_means_over_batches_of_latents(networks, config):
    method, state = networks('projection', sampling_statistics='standing')
    ema = state.ema['generator']
    moments = []
    for number in range(gan_networks.STANDING):
        key = jax.random.fold_in(jax.random.key(0), number)
        h = method.latents.prior(key, config.data.batch_size)
        h = h @ ema['params']['Dense_0']['kernel'] + ema['params']['Dense_0']['bias']
        moments.append((h.mean(0), h.var(0)))
    expected = np.mean(moments, axis=0)
    settled = method.settle(state.weights())
    found = settled.averaged['generator']['batch_stats']['BatchNorm_0']
    np.testing.assert_allclose(found['mean'], expected[0], atol=1e-5)
    np.testing.assert_allclose(found['var'], expected[1], rtol=1e-4, atol=1e-5)
    again = method.settle(settled).averaged['generator']['batch_stats']
    again = again['BatchNorm_0']['var']
    np.testing.assert_allclose(again, found['var'], rtol=1e-4)


@pytest.mark.parametrize('statistics, depends', [('running', False), ('batch', True)])
def test_a_sample_depends_on_its_company_only_by_statistics_of_the_batch(
    networks, statistics, depends
):
    method, state = networks('projection', sampling_statistics=statistics)
    z, y = method.latents.prior(jax.random.key(1), 4), jnp.zeros(4, jnp.int32)
    alone, company = (
        method.latents.decode(state.weights(), z[:2], y[:2]),
        method.latents.decode(state.weights(), z, y)[:2],
    )
    assert bool(jnp.allclose(alone, company, atol=1e-5)) is not depends


@pytest.mark.parametrize(
    'model, names, said',
    [
        ({'generator': 'resnet_class'}, 'ab', 'discriminator=dcgan does not'),
        ({'discriminator': 'sagan'}, 'ab', 'generator=dcgan does not'),
        ({'generator': 'biggan', 'discriminator': 'acgan'}, '', 'the data have none'),
        ({'code_categories': 3}, '', 'tells no codes'),
        ({'discriminator': 'infogan'}, '', 'there are none'),
        ({'discriminator': 'infogan', 'code_categories': 1}, '', 'says nothing'),
    ],
)
def test_networks_that_do_not_fit_are_one_line(config, model, names, said):
    config.data.name = 'emoji'
    default.update(config, {f'model.{k}': v for k, v in model.items()})
    with pytest.raises(UserError, match=said) as found:
        config_lib.validate(config)
        methods.make(config, Spec(32, 32, 3, tuple(names)))
    assert '\n' not in str(found.value) and 'config.model' in str(found.value)


@pytest.mark.parametrize('statistics', ['batch', 'standing'])
def test_statistics_of_a_generator_that_has_none_are_one_line(config, statistics):
    config.model.generator = 'mlp'
    config.method.sampling_statistics = statistics
    with pytest.raises(UserError, match='generator has no BatchNorm'):
        methods.make(config, Spec(32, 32, 3))


def test_a_model_without_classes_refuses_one(config):
    method = methods.make(Reads(config), Spec(32, 32, 3))
    state = jax.eval_shape(method.init, jax.random.key(0))
    with pytest.raises(UserError, match='has no classes'):
        jax.eval_shape(
            lambda: method.generate(state.weights(), jax.random.key(0), 2, [0, 1])
        )


def test_a_generator_of_other_images_is_a_line():
    class Wide(nn.Module):
        @nn.compact
        def __call__(self, z):
            return nn.Dense(8 * 9)(z).reshape(-1, 8, 9, 1)

    pair = gan_networks.pair(
        Wide(), Wide(), latents.make(3), 'running', Learning(), Spec(8, 8, 1)
    )
    with pytest.raises(UserError, match=r'Wide draws images of \(8, 9, 1\)'):
        jax.eval_shape(pair.init, *[jax.random.key(0)] * 2)
