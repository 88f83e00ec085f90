"""Methods of sequences: whose probabilities sum to 1, and whose samples are theirs."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae import config as config_lib
from gan_vae import data, methods
from gan_vae.config import Reads, default
from gan_vae.data.sequences import Padded, SequenceSpec
from gan_vae.data.source import Source, padded_batches
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.keys import keys_of
from gan_vae.models import recurrent
from gan_vae.objectives import bounds
from gan_vae.runs.program import build

KEYS, STEPS = 2, 3
SPEC = SequenceSpec('rolls', KEYS, mean=(0.3, 0.6), scale=(1.0, 1.0))
DRAWINGS = SequenceSpec('strokes', 3, mean=(0.0,) * 3, scale=(4.0, 4.0, 1.0))
METHODS = ('recurrent', 'sketch_vae', 'vrnn')
LENGTH = np.array([5, 2, 7, 1], np.int32)


@pytest.fixture(scope='module')
def made():
    return {}


@pytest.fixture
def method(config, made):
    """make(name, spec) -> (Method, a state whose parameters say something)."""

    def make(name, spec=SPEC, steps=STEPS):
        if (name, spec.kind, steps) not in made:
            default.update(
                config,
                {
                    'method.name': name,
                    'method.sample_steps': steps,
                    'method.mixtures': 2,
                    'model.hidden': 6,
                    'model.width': 5,
                    'method.ema_decay': 0.5,
                },
            )
            if 'latent_dim' in config.model:
                config.model.latent_dim = 2
            found = methods.make(Reads(config.copy_and_resolve_references()), spec)
            state = jax.jit(found.init)(jax.random.key(0))
            rng = np.random.default_rng(0)

            def learned(p):
                if p.any() or p.ndim < 2:
                    return 1.2 * p if spec is SPEC else p
                return rng.normal(size=p.shape).astype(np.float32)

            network = jax.tree.map(learned, state.ema['network'])
            state = state.replace(ema=state.ema | {'network': network})
            made[name, spec.kind, steps] = found, state
        return made[name, spec.kind, steps]

    return make


def every():
    """All sequences of STEPS steps of KEYS keys."""
    bits = list(itertools.product([0.0, 1.0], repeat=STEPS * KEYS))
    values = np.array(bits, np.float32).reshape(-1, STEPS, KEYS)
    return Padded(values, np.full(len(values), STEPS, np.int32))


def strokes(extra=0, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 4, (len(LENGTH), LENGTH.max() + extra, 3))
    values[..., 2] = values[..., 2] > 2
    return values.astype(np.float32)


def probabilities(found, state, padded, count=8000):
    """p(x) [B] of each sequence, by `count` samples of what is not seen."""
    weights, density = state.weights(), found.density
    if density.particle_bound:
        keys = keys_of(jax.random.key(0), jnp.arange(len(padded.length)))
        return np.exp(density.particle_bound(weights, keys, padded, count, 0.0))
    if density.elbo:
        return np.exp(density.elbo(weights, None, padded))
    keys = keys_of(jax.random.key(0), jnp.arange(count))
    log_w = jax.vmap(lambda key: density.log_weight(weights, key, padded))(keys)
    return np.exp(log_w).mean(0)


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_probabilities_of_all_sequences_sum_to_one_and_are_those_of_samples(
    name, method
):
    found, state = method(name)
    p = probabilities(found, state, every())
    np.testing.assert_allclose(p.sum(), 1, atol=0.03)
    assert p.max() > 3 * p.min()
    n = 20_000
    generate = jax.jit(found.generate, static_argnums=2)
    drawn = generate(state.weights(), jax.random.key(1), n)
    assert (drawn.length == STEPS).all()
    powers = 2 ** np.arange(STEPS * KEYS)[::-1]
    numbers = np.asarray(drawn.values).reshape(n, -1) @ powers
    shares = np.bincount(numbers.astype(int), minlength=len(p)) / n
    # deviations: of a share at most 0.003, of an estimated p some thousandths
    np.testing.assert_allclose(shares, p, atol=0.012)


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_padding_and_the_rest_of_the_batch_change_no_score(name, method):
    found, state = method(name, DRAWINGS)

    def score(values, rows):
        batch = {
            'sequence': values[rows],
            'length': LENGTH[rows],
            'index': np.asarray(rows, np.int32),
            'mask': np.ones(len(rows), np.float32),
        }
        return jax.jit(found.evaluate_step)(state, batch)

    rows = np.arange(len(LENGTH))
    whole = score(strokes(), rows)
    junk = np.concatenate([strokes(), np.full((4, 3, 3), 9, np.float32)], 1)
    each = [score(junk, rows[n : n + 1]) for n in rows]
    for key, value in whole.items():
        np.testing.assert_allclose(sum(e[key] for e in each), value, rtol=2e-5)
    assert whole['count'] == LENGTH.sum()


@pytest.mark.parametrize('name', METHODS)
def test_scores_are_of_whole_offsets_whatever_the_scale(name, method):
    """Twice as large, of a set of twice the scale: each offset costs log 4 more."""
    found, state = method(name, DRAWINGS)
    constants = state.ema['constants']
    twice = constants | {'scale': constants['scale'] * jnp.array([2.0, 2.0, 1.0])}
    values = strokes()
    mask = np.ones(len(LENGTH), np.float32)
    batch = {'length': LENGTH, 'index': np.arange(len(LENGTH)), 'mask': mask}
    evaluate = jax.jit(found.evaluate_step)
    one = evaluate(state, batch | {'sequence': values})
    large = values * np.array([2, 2, 1], np.float32)
    two = evaluate(
        state.replace(ema=state.ema | {'constants': twice}), batch | {'sequence': large}
    )
    key = 'log_prob' if name == 'recurrent' else 'elbo'
    more = (one[key] - two[key]) / LENGTH.sum()
    np.testing.assert_allclose(more, np.log(4), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_what_is_begun_stays_and_goes_on(name, method):
    found, state = method(name, DRAWINGS, 9)
    begun = Padded(np.round(strokes()), LENGTH)
    weights, n = state.weights(), len(LENGTH)
    drawn = found.continuation(weights, jax.random.key(0), begun, n)
    other = found.continuation(weights, jax.random.key(1), begun, n)
    for n, length in enumerate(LENGTH):
        np.testing.assert_allclose(
            drawn.values[n, :length], begun.values[n, :length], rtol=1e-5, atol=1e-5
        )
        assert drawn.length[n] > length  # the end of what is given is not its own
        assert (drawn.values[n, length] != other.values[n, length]).any()
    assert set(np.unique(drawn.values[..., 2])) <= {0.0, 1.0}


@pytest.mark.slow
def test_a_vrnn_is_its_equations(method):
    """Step by step, each from the x and z of the step before, in float32."""
    found, state = method('vrnn', DRAWINGS)
    network = recurrent.VRNN(6, 5, 2, 15)
    params = {'params': state.ema['network']}

    def apply(name, *arguments):
        return network.apply(params, *arguments, method=getattr(network, name))

    from gan_vae.objectives import emissions

    emission, values = emissions.strokes(2), strokes()
    batch = {
        'sequence': values[:1],
        'length': LENGTH[:1],
        'index': np.zeros(1, np.int32),
        'mask': np.ones(1, np.float32),
    }
    whole = jax.jit(found.evaluate_step)(state, batch)
    # its noise, by the particle filter's own: one particle is one z
    scaled = values[0, : LENGTH[0]] / np.array([4, 4, 1], np.float32)
    scaled[-1, 2] = emissions.END
    inputs = emission.inputs(jnp.asarray(scaled), None)
    from gan_vae.keys import normals, purpose_key
    from gan_vae.objectives.filtering import keys_of_step

    keys = keys_of(purpose_key(state.rng, 'evaluate'), jnp.arange(1))

    def walk(noise):
        h, c, z, last = jnp.zeros(6), jnp.zeros(6), jnp.zeros(2), jnp.zeros(5)
        for t, x in enumerate(inputs):
            h, c = apply('advance', (h, c), apply('read', last)[0], apply('code', z))
            p = apply('prior', h)
            q = apply('posterior', h, apply('read', x)[1], p[0])
            z = q[0] + jnp.exp(q[1] / 2) * noise(t)
            outputs = apply('emit', h, apply('code', z))
            yield outputs, bounds.kl_gaussians(*q, *p).sum()
            last = x

    steps = list(walk(lambda t: normals(keys_of_step(keys, t), (2,))[0]))
    told = sum(emission.log_prob(o, x) for (o, _), x in zip(steps, scaled, strict=True))
    told -= LENGTH[0] * np.log(16)
    np.testing.assert_allclose(whole['reconstruction'], -told, rtol=1e-4)
    np.testing.assert_allclose(whole['kl'], sum(kl for _, kl in steps), rtol=1e-4)

    again = found.reconstruct(state.weights(), Padded(values[:1], LENGTH[:1]))
    likely = [emission.draw(jax.random.key(0), o, 0.0) for o, _ in walk(lambda t: 0.0)]
    likely = np.array(emission.plain(jnp.stack(likely))) * np.array([4, 4, 1])
    assert again.length == LENGTH[0]
    np.testing.assert_allclose(
        again.values[0, : LENGTH[0]], likely, rtol=1e-4, atol=1e-4
    )


def test_the_lstm_is_flaxs():
    cell = nn.OptimizedLSTMCell(4)
    x = jax.random.normal(jax.random.key(0), (3, 5))
    carry = tuple(jax.random.normal(jax.random.key(1), (2, 3, 4)))
    params = cell.init(jax.random.key(2), carry, x)['params']
    (c, h), _ = cell.apply({'params': params}, carry, x)
    gates = [
        x @ params[f'i{g}']['kernel']
        + carry[1] @ params[f'h{g}']['kernel']
        + params[f'h{g}']['bias']
        - (g == 'f')  # ours begins with 1
        for g in 'ifgo'
    ]
    found = recurrent.lstm(carry[::-1], jnp.concatenate(gates, -1))
    np.testing.assert_allclose(found[0], h, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], c, rtol=1e-5, atol=1e-6)


def test_other_kinds_are_refused(config):
    default.use_method(config, 'vae')
    with pytest.raises(UserError, match='of rolls, and config.method.name=vae is not'):
        methods.make(config, SPEC)
    default.use_method(config, 'vrnn')
    with pytest.raises(UserError, match='of images'):
        from gan_vae.data.source import Spec

        methods.make(config, Spec(8, 8, 3))


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_devices_and_parts_change_no_loss(name):
    """With sequences of other lengths on each: sums are of all steps."""
    found = {}
    for devices, parts in ((1, '1'), (2, '1'), (1, '2')):
        overrides = {
            'method.name': name,
            'parallel.devices': str(devices),
            'parallel.accumulate': parts,
            'optimizer.eps': '1e-3',  # as small as usual, Adam magnifies rounding
            'train.best_metric': '',
            'train.patience': '0',
        }
        config = config_lib.load('configs/vrnn_kanji.py:tiny', overrides)
        examples = data.training(config.data)
        program = build(config, examples.spec)
        source = Source(examples, 8)
        init = jax.jit(program.method.init, out_shardings=program.sharding)
        state = init(jax.random.key(0))
        for step in range(3):
            batch = put(source.batch(step), program.mesh)
            state, metrics = program.train_step(state, batch)
        batch = put(next(padded_batches(examples, 16)), program.mesh)
        sums = program.evaluate_step(state, batch)
        found[devices, parts] = jax.device_get((metrics, sums))
    for other in ((2, '1'), (1, '2')):
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=2e-5, atol=1e-5),
            found[other],
            found[1, '1'],
        )
