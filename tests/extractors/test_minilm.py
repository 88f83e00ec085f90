"""MiniLM: pieces and states as those of its authors' libraries, and no package."""

import json
import math

import jax
import numpy as np
import pytest

from gan_vae.data import prepare, texts, wordpiece
from gan_vae.data.texts import Text
from gan_vae.errors import UserError
from gan_vae.extractors import minilm, weights
from gan_vae.models.bert import Bert

# Of `tokenizers` 0.23.3, and the first and last numbers of the first and the last state
# of BertModel of `transformers` 5.24.0, in float32.
GOLDEN = {
    'two birds': (
        [2048, 5055],
        [0.255176514, -0.111439615, -0.866922438, 0.064305909],
        [0.282013744, 0.072672665, 0.113175876, 0.122554414],
    ),
    'Sky-blue critters: happy, sad & sleepy!': (
        [
            3712,
            1011,
            2630,
            13675,
            27100,
            2869,
            1024,
            3407,
            1010,
            6517,
            1004,
            17056,
            999,
        ],
        [0.170121923, 0.064182080, 0.588097692, 0.177124247],
        [1.443763018, -0.477564096, -0.303958893, 0.575030327],
    ),
}
PIECES = {
    'sky': 1,
    'crit': 2,
    '##ter': 3,
    '##s': 4,
    ',': 5,
    'creme': 6,
    '中': 7,
    'a': 8,
}


@pytest.fixture(scope='module')
def prepared():
    """A skip where the package is not there."""
    try:
        wordpiece.vocabulary()
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ('caption', 'expected'),
    [
        ('Sky, critters', [1, 5, 2, 3, 4]),
        ('Crème\u00a0中a', [6, 7, 8]),
        ('sky critterx sky\u200b', [1, wordpiece.UNKNOWN, 1]),
        ('sky' * 40, [wordpiece.UNKNOWN]),
        ('', []),
    ],
)
def test_a_word_is_its_longest_pieces(caption, expected):
    assert wordpiece.numbers(caption, PIECES) == expected


def test_without_the_package_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path))
    with pytest.raises(UserError, match='gan_vae.data.prepare minilm --data_dir'):
        wordpiece.vocabulary.__wrapped__()
    assert 'minilm' in prepare.FETCHED


def test_safetensors_are_arrays():
    values = np.arange(6, dtype='<f4')
    one = {'dtype': 'F32', 'shape': [2, 3], 'data_offsets': [0, 24]}
    header = json.dumps({'__metadata__': {'format': 'pt'}, 'a': one}).encode()
    raw = len(header).to_bytes(8, 'little') + header + values.tobytes()
    np.testing.assert_array_equal(weights.safetensors(raw)['a'], values.reshape(2, 3))
    for other in (raw[:-1], raw.replace(b'F32', b'F99'), b'no file of that kind'):
        with pytest.raises(UserError, match='not a file of safetensors'):
            weights.safetensors(other)


def test_bert_is_its_formula():
    """One block of one head, in float64 by hand."""
    sizes = {'words': 9, 'places': 5, 'width': 4, 'depth': 1, 'heads': 1, 'hidden': 6}
    bert, random = Bert(**sizes), np.random.default_rng(0)
    numbers, seen = np.array([[3, 1, 4, 0]]), np.array([[True, True, True, False]])
    shapes = jax.eval_shape(bert.init, jax.random.key(0), numbers, seen)['params']
    p = jax.tree.map(lambda a: random.normal(size=a.shape), shapes)

    def dense(name, x):
        return x @ p[f'0_{name}']['kernel'] + p[f'0_{name}']['bias']

    def norm(name, x):
        x = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
        return x * p[name]['scale'] + p[name]['bias']

    x = norm('norm', p['words'][numbers[0]] + p['types'][0] + p['places'][:4])
    q, k, v = (dense(name, x) for name in ('query', 'key', 'value'))
    share = np.exp(q @ k.T / 2) * seen[0]
    x = norm('0_attention_norm', x + dense('read', share / share.sum(1)[:, None] @ v))
    h = dense('in', x)
    h = h * (1 + np.vectorize(math.erf)(h / math.sqrt(2))) / 2
    expected = norm('0_norm', x + dense('out', h))
    found = bert.apply({'params': p}, numbers, seen)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_golden_states(prepared):
    text = Text('minilm', (), 16, ())
    rows = texts.encode(text, [*GOLDEN, ''])
    found = np.asarray(minilm.states(minilm.load(), rows))
    for row, states, (numbers, first, last) in zip(
        rows, found, GOLDEN.values(), strict=False
    ):
        count = len(numbers)
        assert row[:count].tolist() == numbers and not row[count:].any()
        np.testing.assert_allclose(states[0, :4], first, atol=1e-5)
        np.testing.assert_allclose(states[count - 1, -4:], last, atol=1e-5)
        assert not states[count:].any()
    assert not found[-1].any()
    assert texts.string(text, rows[1]) == 'sky - blue critters : happy , sad & sleepy !'
