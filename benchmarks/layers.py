"""Is any layer of the GANs slower than its plain alternative?

python -m benchmarks.layers [--rounds=15] [--cases=conv_pool,up_conv]

Two compiled functions take turns in blocks of calls; each ratio is the median over
rounds of their paired times, the alternative's over ours, so that above 1 ours is the
faster. Run it on a machine that does nothing else. 64 images, float32, training.

forward is the output alone. backward is the gradient in the input and the parameters
from what the forward pass has kept. both is the two in one program, as in a step.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
from flax import linen as nn

from benchmarks.rows import append
from gan_vae.devices import process
from gan_vae.models import attention, conditional, layers

BATCH, CLASSES, CONDITION = 64, 10, 148
PASSES = ('forward', 'backward', 'both')


class PlainAttention(nn.Module):
    """The same function of flax's layers."""

    @nn.compact
    def __call__(self, x):
        b, h, w, c = x.shape

        def linear(x, features):
            return nn.Conv(features, (1, 1), use_bias=False)(x)

        def largest(x):
            return nn.max_pool(x, (2, 2), (2, 2))

        query = linear(x, c // 8).reshape(b, h * w, 1, -1)
        key = largest(linear(x, c // 8)).reshape(b, h * w // 4, 1, -1)
        value = largest(linear(x, c // 2)).reshape(b, h * w // 4, 1, -1)
        query = query * (c // 8) ** 0.5  # against flax's division by it
        scores = nn.dot_product_attention_weights(query, key)
        seen = jnp.einsum('bhqn,bnhv->bqhv', scores, value).reshape(b, h, w, -1)
        gamma = self.param('gamma', nn.initializers.zeros, ())
        return x + gamma * linear(seen, c)


class Pooled(nn.Module):
    features: int

    @nn.compact
    def __call__(self, x):
        return nn.avg_pool(nn.Conv(self.features, (3, 3))(x), (2, 2), (2, 2))


class Repeated(nn.Module):
    features: int

    @nn.compact
    def __call__(self, x):
        x = jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
        return nn.Conv(self.features, (3, 3))(x)


class FlaxSpectral(nn.Module):
    features: int

    @nn.compact
    def __call__(self, x):
        conv = nn.Conv(self.features, (3, 3))
        return nn.SpectralNorm(conv, collection_name='spectral')(x, update_stats=True)


class Deviation(nn.Module):
    ours: bool
    group: int = 4

    @nn.compact
    def __call__(self, x):
        if self.ours:
            return conditional.minibatch_stddev(x, self.group)
        groups = x.reshape(self.group, -1, *x.shape[1:])
        s = jnp.sqrt(jnp.var(groups, axis=0) + 1e-8).mean((1, 2, 3))
        s = jnp.broadcast_to(jnp.tile(s, self.group)[:, None, None, None], x.shape)
        return jnp.concatenate([x, s[..., :1]], axis=-1)


class ByClass(nn.Module):
    @nn.compact
    def __call__(self, x, label):
        c = x.shape[-1]
        gain = nn.Embed(CLASSES, c, embedding_init=nn.initializers.ones)(label)
        bias = nn.Embed(CLASSES, c, embedding_init=nn.initializers.zeros)(label)
        x = batch_norm(use_scale=False, use_bias=False)(x)
        return x * gain[:, None, None] + bias[:, None, None]


def batch_norm(**fields):
    return nn.BatchNorm(use_running_average=False, momentum=0.9, **fields)


def per_image():
    return conditional.BatchNorm(use_running_average=False, momentum=0.9)


def cases():
    """{case: (ours, the alternative's name, the alternative, shape, condition)}."""
    label = jnp.arange(BATCH) % CLASSES
    vector = jax.random.normal(jax.random.key(2), (BATCH, CONDITION))
    spectral = layers.Conv(64, (3, 3), spectral=True, train=True)
    wide = layers.Conv(128, (3, 3), spectral=True, train=True)
    by_class = conditional.ClassBatchNorm(CLASSES, per_image)
    by_vector = conditional.VectorBatchNorm(per_image)
    ours, stock = layers.Conv, nn.Conv
    small, large, deep = (16, 64), (8, 128), (4, 256)
    plain, plain_128 = ours(64, (3, 3)), ours(128, (3, 3))
    flax, flax_128 = FlaxSpectral(64), FlaxSpectral(128)
    return {
        'spectral': (spectral, 'layers.Conv', plain, small, None),
        'spectral_flax': (spectral, 'nn.SpectralNorm', flax, small, None),
        'spectral_128': (wide, 'layers.Conv', plain_128, large, None),
        'spectral_128_flax': (wide, 'nn.SpectralNorm', flax_128, large, None),
        'conv': (plain, 'nn.Conv', stock(64, (3, 3)), small, None),
        'conv_128': (plain_128, 'nn.Conv', stock(128, (3, 3)), large, None),
        'attention': (
            *(attention.SelfAttention(), 'nn.dot_product_attention', PlainAttention()),
            *(small, None),
        ),
        'class_norm': (by_class, 'nn.BatchNorm', batch_norm(), small, label),
        'vector_norm': (by_vector, 'nn.BatchNorm', batch_norm(), small, vector),
        'class_norm_parts': (
            *(by_class, 'nn.BatchNorm, x * table[y] + table[y]', ByClass()),
            *(small, label),
        ),
        'stddev': (Deviation(True), 'four lines', Deviation(False), deep, None),
        'conv_pool': (layers.ConvPool(64), 'nn.Conv, pool', Pooled(64), small, None),
        'up_conv': (layers.UpConv(64), 'repeat, nn.Conv', Repeated(64), small, None),
    }


def passes(module, shape, condition):
    """{pass: a function that runs it once and waits}."""
    size, channels = shape
    x = jax.random.normal(jax.random.key(0), (BATCH, size, size, channels))
    rest = () if condition is None or isinstance(module, nn.BatchNorm) else (condition,)
    variables = jax.jit(module.init)(jax.random.key(1), x, *rest)
    params = variables.get('params', {})
    others = {name: v for name, v in variables.items() if name != 'params'}

    def apply(params, x, others):
        everything = {'params': params, **others}
        return module.apply(everything, x, *rest, mutable=list(others))

    def kept(params, x, others):
        y, pull, after = jax.vjp(
            lambda p, x: apply(p, x, others), params, x, has_aux=True
        )
        return y, pull, after

    def both(params, x, others, dy):
        _, pull, after = kept(params, x, others)
        return pull(dy), after

    forward, backward = jax.jit(apply), jax.jit(lambda pull, dy: pull(dy))
    y, pull, _ = jax.jit(kept)(params, x, others)
    dy = jax.random.normal(jax.random.key(3), y.shape)
    both = jax.jit(both)

    def waited(function, *args):
        return lambda: jax.block_until_ready(function(*args))

    return {
        'forward': waited(forward, params, x, others),
        'backward': waited(backward, pull, dy),
        'both': waited(both, params, x, others, dy),
    }


def seconds(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def paired(ours, other, rounds):
    """Seconds of each, by rounds, in turns."""
    for run in (ours, other):
        seconds(run, 3)
    calls = max(1, int(0.05 / max(seconds(ours, 2), seconds(other, 2))))
    times = [], []
    for turn in range(rounds):
        for i in (0, 1) if turn % 2 == 0 else (1, 0):
            times[i].append(seconds((ours, other)[i], calls))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--cases', default=','.join(cases()))
    flags = parser.parse_args()
    print(
        f'{"case":20} {"pass":9} {"ours, ms":>9} {"plain, ms":>9} {"ratio":>6}  plain'
    )
    for case in flags.cases.split(','):
        ours, name, plain, shape, condition = cases()[case]
        ours, plain = (passes(m, shape, condition) for m in (ours, plain))
        for each in PASSES:
            times = paired(ours[each], plain[each], flags.rounds)
            mine, theirs = (1e3 * statistics.median(t) for t in times)
            ratio = statistics.median(b / a for a, b in zip(*times, strict=True))
            print(
                f'{case:20} {each:9} {mine:9.2f} {theirs:9.2f} {ratio:6.2f}  {name}',
                flush=True,
            )
            row = {'case': case, 'pass': each, 'against': name, 'unit': 'ms'}
            row |= {'ours': mine, 'peer': theirs, 'ratio': round(ratio, 3)}
            size, channels = shape
            row |= {'shape': [BATCH, size, size, channels], 'rounds': flags.rounds}
            append('layers', row)


if __name__ == '__main__':
    process.prepare()
    main()
