"""Normalisation by class, and what the batch tells: closed forms, 1 to 4 devices."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

from gan_vae.devices.mesh import AXIS, mesh_of
from gan_vae.errors import UserError
from gan_vae.models.conditional import (
    BatchNorm,
    ClassBatchNorm,
    VectorBatchNorm,
    minibatch_stddev,
)

X = jax.random.normal(jax.random.key(0), (8, 4, 4, 3)) * 2 + 1
LABEL = jnp.array([0, 1, 2, 1, 0, 2, 2, 1])
VECTOR = jax.random.normal(jax.random.key(1), (8, 5))


def norm(train, axis_name=None):
    return BatchNorm(not train, momentum=0.9, axis_name=axis_name)


def made(kind, norm):
    if kind == 'class':
        return ClassBatchNorm(3, norm), LABEL
    return VectorBatchNorm(norm), VECTOR


def random_params(variables):
    """Gains and biases that are not those of the start."""
    leaves, tree = jax.tree.flatten(variables['params'])
    keys = jax.random.split(jax.random.key(2), len(leaves))
    drawn = [jax.random.normal(k, a.shape) for k, a in zip(keys, leaves, strict=True)]
    return variables | {'params': jax.tree.unflatten(tree, drawn)}


@pytest.mark.parametrize('kind', ['class', 'vector'])
def test_gain_and_bias_are_the_conditions(kind):
    layer, y = made(kind, partial(norm, True))
    variables = layer.init(jax.random.key(3), X, y)
    x = np.asarray(X, np.float64)
    unit = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    if kind == 'class':  # no effect at the start
        found, _ = layer.apply(variables, X, y, mutable='batch_stats')
        np.testing.assert_allclose(found, unit, atol=1e-5)
    variables = random_params(variables)
    found, after = layer.apply(variables, X, y, mutable='batch_stats')
    params = variables['params']
    if kind == 'class':
        gain, bias = (params[k]['embedding'][y] for k in ('gain', 'bias'))
    else:
        gain, bias = (y @ params[k]['kernel'] for k in ('gain', 'bias'))
        gain = 1 + gain
    gain, bias = (np.asarray(a, np.float64)[:, None, None] for a in (gain, bias))
    np.testing.assert_allclose(found, unit * gain + bias, atol=1e-5)
    running = after['batch_stats']['BatchNorm_0']
    np.testing.assert_allclose(running['mean'], 0.1 * x.mean((0, 1, 2)), rtol=1e-5)
    evaluated, _ = made(kind, partial(norm, False))
    one = evaluated.apply(variables | after, X[:1], y[:1])
    all_of_them = evaluated.apply(variables | after, X, y)
    np.testing.assert_allclose(one, all_of_them[:1], atol=1e-6)


@pytest.mark.parametrize('kind', ['class', 'vector'])
def test_statistics_are_of_all_devices(kind):
    layer, y = made(kind, partial(norm, True))
    variables = random_params(layer.init(jax.random.key(3), X, y))
    parts, _ = made(kind, partial(norm, True, AXIS))

    def step(x, y):
        return parts.apply(variables, x, y, mutable='batch_stats')

    mapped = jax.shard_map(
        step,
        mesh=mesh_of(4, 8),
        in_specs=P(AXIS),
        out_specs=(P(AXIS), P()),
        check_vma=False,
    )
    expected = layer.apply(variables, X, y, mutable='batch_stats')
    jax.tree.map(
        partial(np.testing.assert_allclose, atol=1e-5), jax.jit(mapped)(X, y), expected
    )


def deviation(x, group):
    """s of each row, in float64: the rows i, i + n, ... are a group, of n groups."""
    parts = np.asarray(x, np.float64).reshape(group, -1, *x.shape[1:])
    s = np.sqrt(parts.var(axis=0) + 1e-8).mean(axis=(1, 2, 3))
    return np.tile(s, group)


@pytest.mark.parametrize('devices', [1, 2, 4])
@pytest.mark.parametrize('group', [1, 2, 4, 8])
def test_stddev_and_its_gradient_for_any_number_of_devices(group, devices):
    """Of 8, 4 or 2 images on each: parts of groups, or a row of each on several."""

    def value(x, axis_name=None):
        y = minibatch_stddev(x, group, axis_name)
        return jnp.sum(jnp.sin(y) * y), y

    def step(x):
        slope, y = jax.grad(value, has_aux=True)(x, AXIS)
        return slope, y

    mapped = jax.shard_map(
        step,
        mesh=mesh_of(devices, 8),
        in_specs=P(AXIS),
        out_specs=P(AXIS),
        check_vma=False,
    )
    slope, y = jax.jit(mapped)(X)
    np.testing.assert_array_equal(y[..., :3], X)
    expected = np.broadcast_to(deviation(X, group)[:, None, None], (8, 4, 4))
    np.testing.assert_allclose(y[..., 3], expected, rtol=1e-5)
    alone = jax.jit(jax.grad(lambda x: value(x)[0]))(X)
    np.testing.assert_allclose(slope, alone, atol=1e-5)


@pytest.mark.parametrize('rows, group', [(6, 4), (2, 4), (4, 3)])
def test_groups_that_do_not_fit_are_one_line(rows, group):
    with pytest.raises(UserError, match=f'{rows} images on each of 1 .* of {group}:'):
        minibatch_stddev(X[:rows], group)
