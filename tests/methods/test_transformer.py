"""Priors over codes: causality, the cache, guidance, the two stages, given codes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_vae import images
from gan_vae.config import default
from gan_vae.data.source import Spec
from gan_vae.data.texts import Text
from gan_vae.devices.mesh import put
from gan_vae.methods import codes_prior
from gan_vae.methods.contract import Law
from gan_vae.methods.masked_transformer import method as masked
from gan_vae.methods.transformer import method as transformer
from gan_vae.models.transformer import Transformer
from gan_vae.runs.program import build

K, SIDE, P = 7, 3, 4
N = SIDE * SIDE
METHODS = 'transformer', 'masked_transformer'
close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5)


def network(**fields):
    fields = {'width': 16, 'depth': 2, 'heads': 2, 'words': 5, 'length': P} | fields
    return Transformer(K, (SIDE, SIDE), **fields)


def random_params(net, seed=0):
    """Parameters that are nowhere zero."""
    words, codes = jnp.zeros((1, net.length), int), jnp.zeros((1, N), int)
    params = net.init(jax.random.key(0), words, codes)['params']
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(seed), len(leaves))
    draw = [
        0.3 * jax.random.normal(k, x.shape) for k, x in zip(keys, leaves, strict=True)
    ]
    return jax.tree.unflatten(tree, draw)


@pytest.fixture(scope='module')
def inputs():
    keys = jax.random.split(jax.random.key(3), 2)
    words = jax.random.randint(keys[0], (5, P), 0, 6).at[0].set(0).at[1].set(3)
    return words, jax.random.randint(keys[1], (5, N), 0, K)


@pytest.mark.slow
def test_the_first_loss_is_that_of_equal_codes(inputs):
    net = network()
    params = net.init(jax.random.key(0), *inputs)['params']
    loss = transformer.loss_of(transformer.logits_of(net))
    nats = loss(params, *inputs, None, True)
    close(nats, np.log(K))


@pytest.mark.slow
@pytest.mark.parametrize('length', [0, P])
def test_a_code_depends_on_words_and_the_codes_before_it_alone(inputs, length):
    words, codes = inputs
    net = network(length=length)
    params = random_params(net)
    words = words[:, :length]
    logits = net.apply({'params': params}, words, codes)
    for place in range(N):
        other = codes.at[:, place].set((codes[:, place] + 1) % K)
        changed = net.apply({'params': params}, words, other)
        np.testing.assert_array_equal(  # bit for bit
            changed[:, : place + 1], logits[:, : place + 1]
        )
        if place + 1 < N:
            assert np.abs(changed - logits)[:, place + 1 :].max() > 1e-3
    if length:
        other = net.apply({'params': params}, words.at[:, 0].set(5), codes)
        assert np.abs(other - logits)[1:].min(-1).max() > 1e-4


def test_no_word_is_seen_by_nobody(inputs):
    """What stands where there is no word changes nothing."""
    words, codes = inputs
    words, net = words.at[:, 2:].set(0), network()
    params = random_params(net)
    changed = params | {'words': params['words'].at[0].add(3.0)}
    logits = [net.apply({'params': p}, words, codes) for p in (params, changed)]
    np.testing.assert_array_equal(*logits)


@pytest.mark.slow
def test_words_as_one_hot_vectors_are_their_numbers(inputs):
    """With the table as the map of vectors; a vector of zeros is no word."""
    words, codes = inputs
    params, vectors = (
        random_params(network()),
        jax.nn.one_hot(words, 6).at[..., 0].set(0),
    )
    table = {'inward': {'kernel': params['words']}}
    of_vectors = {n: p for n, p in params.items() if n != 'words'} | table
    nets = network(), network(states=6)
    rows = ({'params': params}, words), ({'params': of_vectors}, vectors)
    whole, cached = [], []
    for net, (variables, w) in zip(nets, rows, strict=True):
        whole.append(net.apply(variables, w, codes))
        cache = net.apply(variables, w, len(codes), method=net.start)
        before = jnp.full(len(codes), K)
        cached.append(net.apply(variables, cache, w, before, 0, method=net.advance)[0])
    close(*whole)
    close(*cached)


@pytest.mark.slow
@pytest.mark.parametrize('length', [0, 1, P])
def test_the_cache_gives_what_the_whole_network_gives(inputs, length):
    words, codes = inputs
    net = network(length=length)
    params, words = random_params(net), words[:, :length]
    expected = net.apply({'params': params}, words, codes)
    cache = net.apply({'params': params}, words, len(codes), method=net.start)
    before = jnp.full(len(codes), K)
    for place in range(N):
        logits, cache = net.apply(
            {'params': params}, cache, words, before, place, method=net.advance
        )
        close(logits, expected[:, place], atol=2e-5)
        before = codes[:, place]


def test_a_masked_network_sees_all_and_scores_what_is_masked(inputs):
    words, codes = inputs
    net = network(masked=True)
    params = random_params(net)
    logits = net.apply({'params': params}, words, codes)
    changed = net.apply({'params': params}, words, codes.at[:, -1].set(K))
    assert np.abs(changed - logits)[:, 0].max() > 1e-4
    # the loss: of another target where nothing is masked it is the same
    keys, loss = jax.random.split(jax.random.key(0), 5), masked.loss_of(net)
    hidden = masked.masks(keys, N)
    seen = jnp.where(hidden, K, codes)
    nats = transformer.nats_of(net.apply({'params': params}, words, seen), codes)
    expected = (nats * hidden).sum(-1) / hidden.sum(-1)
    close(loss(params, words, codes.reshape(5, SIDE, SIDE), keys, True), expected)


def test_masks_have_the_shares_of_the_paper():
    hidden = masked.masks(jax.random.split(jax.random.key(0), 4000), 64)
    number = np.asarray(hidden.sum(-1))
    assert number.min() >= 1 and number.max() == 64
    assert abs(number.mean() / 64 - 2 / np.pi) < 0.02  # E cos(pi r / 2), rounded up
    assert np.abs(hidden.mean(0) - hidden.mean()).max() < 0.05  # no place is special


def chosen(logits, **law):
    return np.asarray(codes_prior.chosen(jnp.asarray(logits, jnp.float32), Law(**law)))


def test_laws_leave_out_what_they_say():
    logits = np.log([0.1, 0.4, 0.2, 0.3])
    close(chosen(logits), logits)
    close(chosen(logits, top_k=0, top_p=1.0), logits)
    close(chosen(logits, temperature=0.5), 2 * logits)

    def kept(**law):
        return np.flatnonzero(np.isfinite(chosen(logits, **law))).tolist()

    assert kept(top_k=1) == [1] and kept(top_k=3) == [1, 2, 3]
    assert kept(top_p=0.0) == [1] and kept(top_p=0.39) == [1]
    assert kept(top_p=0.41) == [1, 3] and kept(top_p=0.71) == [1, 2, 3]
    # of what top_k leaves: 0.4 / 0.7
    assert kept(top_k=2, top_p=0.56) == [1] and kept(top_k=2, top_p=0.58) == [1, 3]


@pytest.mark.slow
@pytest.mark.parametrize('method', [transformer, masked])
def test_guidance_and_given_codes(inputs, method):
    """Scale 0 is without words, 1 with them; given codes stay; greedy is argmax."""
    words, _ = inputs
    is_masked = method is masked
    net = network(masked=is_masked)
    draw = masked.draw_of(net, 4, 0.0) if is_masked else transformer.draw_of(net)
    params, key, n = random_params(net), jax.random.key(1), len(words)

    def drawn(words=words, given=None, **law):
        law = {'guidance': 1.0, 'top_k': 0, 'top_p': 1.0} | law
        return np.asarray(draw(params, key, words, n, Law(**law), given))

    plain = drawn()
    assert plain.shape == (n, SIDE, SIDE) and plain.min() >= 0 and plain.max() < K
    if not is_masked:  # there the scale grows from 1
        np.testing.assert_array_equal(drawn(guidance=0.0), drawn(0 * words))
    assert (drawn(guidance=4.0) != plain).any()
    np.testing.assert_array_equal(drawn(top_k=1), drawn(temperature=0.0))
    codes = jnp.full((n, SIDE, SIDE), 2)
    stays = jnp.zeros((n, SIDE, SIDE), bool).at[:, 0].set(True).at[:, 2, 1].set(True)
    found = drawn(given=(codes, jnp.where(stays, -jnp.inf, jnp.inf)))
    assert (found[np.asarray(stays)] == 2).all() and (found != 2).any()


SPEC = Spec(
    8,
    8,
    3,
    ('x', 'y'),
    64,
    Text('words', ('red', 'blue'), 2, ('red', 'blue', 'red blue')),
)


@pytest.fixture
def made(config_of):
    """made('transformer', {...}) -> (program, state, batch) on some devices."""

    def make(method, overrides=(), devices=1):
        config = config_of(method)
        values = {
            'data.image_size': 8,
            'data.batch_size': 8,
            'data.text': 'words',
            'method.condition': 'text',
            'method.tokeniser_steps': 2,
            'method.levels': '3,3',
            'model.code_width': 8,
            'model.width': 16,
            'model.heads': 2,
            'model.depth': 1,
            'model.dropout': 0.2,
            'parallel.devices': devices,
        }
        default.update(config, values | dict(overrides))
        program = build(config, SPEC)
        random = np.random.default_rng(0)
        batch = {
            'image': random.integers(0, 256, (8, 8, 8, 3), np.uint8),
            'index': np.arange(8, dtype=np.int32),
            'label': random.integers(0, 2, 8).astype(np.int32),
            'text': random.integers(0, 3, (8, 3, 2)).astype(np.int32),
        }
        state = jax.jit(program.method.init, out_shardings=program.sharding)(
            jax.random.key(0)
        )
        return program, state, put(batch, program.mesh)

    return make


def same(a, b):
    return all(
        np.array_equal(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    'method',
    ['transformer', pytest.param('masked_transformer', marks=pytest.mark.slow)],
)
def test_first_the_tokeniser_learns_and_then_the_prior(method, made):
    program, state, batch = made(method)
    before = jax.tree.map(np.asarray, state.params)
    acted = []
    for step in range(4):
        state, metrics = program.train_step(state, batch)
        acted.append(float(metrics['squared_error'].acted))
        now = jax.tree.map(np.asarray, state.params)
        stage, other = ('tokeniser', 'prior') if step < 2 else ('prior', 'tokeniser')
        assert not same(now[stage], before[stage]), step
        assert same(now[other], before[other]), step
        # what samples are drawn with is the tokeniser that the codes are of
        assert same(state.ema['tokeniser'], now['tokeniser'])
        before = now
    assert acted == [1, 1, 0, 0]
    assert not same(state.ema['prior'], before['prior'])


@pytest.mark.slow
@pytest.mark.parametrize('share, learns', [(0.0, True), (0.999_999, False)])
def test_a_condition_that_is_left_out_teaches_no_words(made, share, learns):
    settings = {'method.condition_dropped': share, 'method.tokeniser_steps': 1}
    program, state, batch = made('transformer', settings)
    before = np.asarray(state.params['prior']['words'])
    for _ in range(3):  # the head is zero at the first update of the prior
        state, _ = program.train_step(state, batch)
    after = np.asarray(state.params['prior']['words'])
    assert (np.abs(after - before).max() > 0) == learns


@pytest.mark.slow
@pytest.mark.parametrize('method', METHODS)
def test_devices_parts_of_a_batch_and_remat_change_nothing(method, made):
    """Dropout, wordings and masks are drawn by example."""
    states = []
    for devices, parts, remat in ((1, 1, False), (2, 1, False), (1, 2, True)):
        settings = {'parallel.accumulate': parts, 'parallel.remat': remat}
        program, state, batch = made(method, settings, devices)
        for _ in range(4):
            state, _ = program.train_step(state, batch)
        states.append(jax.tree.map(np.asarray, state.params))
    for other in states[1:]:
        jax.tree.map(partial(np.testing.assert_allclose, atol=3e-4), states[0], other)


@pytest.mark.slow
def test_an_evaluation_has_bits_beside_those_of_simple_laws(made):
    program, state, batch = made('transformer')
    batch = {k: np.asarray(v) for k, v in batch.items()} | {
        'mask': np.float32([1] * 7 + [0])
    }
    sums = program.evaluate_step(state, put(batch, program.mesh))
    found = program.method.finish(
        {k: np.asarray(v, np.float64) for k, v in sums.items()}
    )
    pictures = images.from_uint8(batch['image'][:7])
    codes = program.method.codes.encode(state.weights(), pictures)
    counts = np.bincount(np.ravel(codes), minlength=9)
    share = counts[counts > 0] / counts.sum()
    close(found['code_bits_unigram'], -(share * np.log2(share)).sum(), rtol=1e-4)
    assert found['codes_used'] == np.mean(counts > 0)
    close(found['code_bits'], np.log2(9), rtol=1e-5)  # the head begins at zero
    assert found['code_bits_by_place'] <= found['code_bits_unigram'] + 1e-6


@pytest.mark.slow
def test_a_markov_chain_is_learned_to_its_entropy():
    """Within 0.02 bit of the rate of the chain, and not below."""
    states, rows = 4, 64
    random = np.random.default_rng(0)
    table = random.dirichlet(np.full(states, 0.5), states)
    stay = np.linalg.matrix_power(table, 200)[0]
    entropy = -(stay[:, None] * table * np.log2(table + 1e-30)).sum()

    def chain(n):
        found = [random.choice(states, n, p=stay)]
        for _ in range(rows - 1):
            steps = (random.random((n, 1)) > table[found[-1]].cumsum(-1)).sum(-1)
            found.append(np.minimum(steps, states - 1))
        return np.stack(found, -1)

    net = Transformer(states, (8, 8), width=32, depth=1, heads=2)
    loss = transformer.loss_of(transformer.logits_of(net))
    params = net.init(jax.random.key(0), None, jnp.zeros((1, rows), int))['params']
    steps = 300
    optimizer = optax.adam(optax.cosine_decay_schedule(1e-2, steps))
    carry = params, optimizer.init(params)

    @jax.jit
    def step(carry, codes):
        params, opt = carry
        grads = jax.grad(lambda p: jnp.mean(loss(p, None, codes, None, True)))(params)
        updates, opt = optimizer.update(grads, opt)
        return optax.apply_updates(params, updates), opt

    data = chain(32 * steps).reshape(steps, 32, rows)
    for codes in data:
        carry = step(carry, codes)
    held_out = chain(2000)
    nats = jax.jit(lambda p, c: loss(p, None, c, None, True))(carry[0], held_out)
    # the first code costs the entropy of the stationary law
    first = -(stay * np.log2(stay)).sum()
    expected = (first + (rows - 1) * entropy) / rows
    assert -0.02 < float(np.mean(nats)) / np.log(2) - expected < 0.02
