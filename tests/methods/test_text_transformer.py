"""Text by characters: what is scored, and how texts go on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.art import __main__ as art
from gan_vae.config import default
from gan_vae.data import writing
from gan_vae.data.sequences import Padded, SequenceSpec
from gan_vae.data.texts import Text
from gan_vae.errors import UserError
from gan_vae.methods import make
from gan_vae.methods.text_transformer import method as text_transformer
from gan_vae.training import loop

LETTERS = 'abc\n'
SPEC = SequenceSpec('text', 1, text=Text('characters', tuple(sorted(LETTERS)), 10, ()))


@pytest.fixture(scope='module')
def made():
    """(method, weights with numbers that are nowhere zero)."""
    config = default.with_variant(default.get_config('text_transformer'), 'tiny')
    config.data.name, config.model.width = 'toy_text', 16
    method = make(config, SPEC)
    state = jax.jit(method.init)(jax.random.key(0))
    leaves, tree = jax.tree.flatten(state.ema)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    draws = [jax.random.normal(k, x.shape) for k, x in zip(keys, leaves, strict=True)]
    ema = jax.tree.unflatten(tree, draws)
    return method, state.replace(ema=ema, params=ema)


def padded(*texts, ends=True):
    values = [writing.points(text, ends) for text in texts]
    rows = np.zeros((len(values), 32, 1), np.int32)
    for row, value in zip(rows, values, strict=True):
        row[: len(value)] = value
    return Padded(rows, np.array([len(v) for v in values], np.int32))


def batch(texts):
    values, length = padded(*texts)
    n = len(texts)
    more = {'index': np.arange(n), 'mask': np.ones(n, np.float32)}
    return {'sequence': values, 'length': length} | more


@pytest.mark.slow
def test_a_text_is_scored_symbol_by_symbol(made):
    """Whatever stands behind it and beside it; letters apart from marks."""
    method, state = made
    texts = 'ab\nc', 'c', 'xa'  # x is not known
    sums = method.evaluate_step(state, batch(texts))
    assert sums['count'] == 5 + 2 + 3 and sums['letters'] == 3 + 1 + 2
    each = [method.evaluate_step(state, batch([text]))['log_prob'] for text in texts]
    np.testing.assert_allclose(sums['log_prob'], sum(each), rtol=1e-5)
    found = method.density.elbo(state.weights(), None, padded(*texts))
    np.testing.assert_allclose(found, each, rtol=1e-5)
    metrics = method.finish({k: float(v) for k, v in sums.items()})
    mean = float(sums['log_prob']) / 10
    np.testing.assert_allclose(metrics['perplexity'], np.exp(-mean), rtol=1e-5)
    letters = float(sums['log_prob_letters']) / 6
    np.testing.assert_allclose(
        metrics['perplexity_letters'], np.exp(-letters), rtol=1e-5
    )
    # p over all symbols is 1: of the first one
    ones = [
        jnp.exp(method.density.elbo(state.weights(), None, padded(c, ends=False)))
        for c in (*LETTERS, 'x', '\0')
    ]
    np.testing.assert_allclose(np.sum(ones), 1, rtol=1e-5)


def test_texts_go_on_from_what_is_given_until_they_end(made):
    method, state = made
    prompt = padded('ab', '', 'caxb', ends=False)
    drawn = method.continuation(state.weights(), jax.random.key(0), prompt, 3)
    texts = [writing.string(v) for v in drawn.each()]
    assert texts[0].startswith('ab') and texts[2].startswith('ca\ufffdb')
    for value, length in zip(*drawn, strict=True):
        text = np.asarray(value).ravel()
        assert length <= 10 and (text[length:] == writing.END).all()
        assert (text[:length] != writing.END).all()
    many = method.generate(state.weights(), jax.random.key(1), 200)
    letters = set(''.join(map(writing.string, many.each())))
    assert letters == set(LETTERS)  # and never UNKNOWN
    lengths = np.asarray(many.length)
    assert len(set(lengths.tolist())) > 2 and lengths.max() <= 10


def test_samples_have_the_law_that_is_scored(made):
    """The frequencies of the first symbol, over many samples."""
    method, state = made
    many = method.generate(state.weights(), jax.random.key(2), 4000)
    first = np.where(many.length > 0, np.asarray(many.values)[:, 0, 0], writing.END)
    log_prob = [
        float(method.density.elbo(state.weights(), None, padded(c, ends=False))[0])
        for c in (*LETTERS, '\0')
    ]
    share = np.exp(log_prob) / np.exp(log_prob).sum()  # of all but UNKNOWN
    found = [np.mean(first == ord(c)) for c in (*LETTERS, '\0')]
    np.testing.assert_allclose(found, share, atol=0.03)


def test_longer_texts_and_other_data_are_one_line(made):
    method, state = made
    with pytest.raises(UserError, match=r'texts of up to 64 characters'):
        method.density.elbo(state.weights(), None, Padded(np.zeros((1, 64, 1)), [64]))
    config = default.get_config('text_transformer')
    with pytest.raises(UserError, match='text_transformer is of text'):
        make(config, SequenceSpec('strokes', 3, (0.0,) * 3, (1.0,) * 3))
    with pytest.raises(UserError, match='config.method.name=text_transformer'):
        make(default.get_config('recurrent'), SPEC)


def test_symbols_are_the_places_of_an_alphabet():
    points = np.array([0, 1, 10, 97, 0x6625])
    values = jnp.array([[97, 0x6625, 98, 0], [10, 1, 0x7FFFFFFF, 97]])
    found = text_transformer.symbols(values, points)
    np.testing.assert_array_equal(found, [[3, 4, 1, 0], [2, 1, 1, 3]])


@pytest.mark.slow
def test_a_grammar_is_learned_and_written(tmp_path, capsys):
    """From a config to texts in files; each sentence is one of the grammar."""
    from gan_vae import config as config_lib

    overrides = {
        'train.steps': '300',
        'train.image_steps': '300',
        'train.checkpoint_steps': '300',
        'train.log_steps': '100',
        'model.width': '32',
        'model.dropout': '0.0',
        'data.split': 'train',
        'data.batch_size': '32',
        'optimizer.learning_rate': '1e-2',
        'parallel.devices': '1',
    }
    config = config_lib.load('configs/poems.py:tiny', overrides)
    summary = loop.train(config, tmp_path / 'run')
    # 6 x 4 nouns and kinds, 4 x 6 verbs and nouns, of 34 symbols or so
    assert summary['metrics']['eval/bits']['value'] < 0.4
    words = ['write', f'--workdir={tmp_path / "run"}', '--begin=the old ']
    assert art.main([*words, '--num=6', f'--out={tmp_path / "out"}']) == 0
    texts = [f.read_text() for f in sorted((tmp_path / 'out').glob('*.txt'))]
    assert len(texts) == 6 and texts[0] in capsys.readouterr().out + '\n'
    for text in texts:
        assert text.startswith('the old ') and text.endswith('.\n')
    model = f'--workdir={tmp_path / "run"}'
    (tmp_path / 'mine.txt').write_text('of no use. the red dog\n')
    for number, word in enumerate((str(tmp_path / 'mine.txt'), 'the redXdog')):
        folder = tmp_path / f'file{number}'
        assert art.main(['complete', model, word, '--num=1', f'--out={folder}']) == 0
        assert 'red' in (folder / '00000.txt').read_text().partition('dog')[0]
    for wrong in (['complete', model, 'none.txt'], ['sample', model, '--prompt=a cat']):
        assert art.main([*wrong, f'--out={tmp_path / "wrong"}']) == 2
    words = ['complete', f'--workdir={tmp_path / "run"}', 'the red dog\n', '--num=1']
    assert art.main([*words, f'--out={tmp_path / "more"}']) == 0
    assert (tmp_path / 'more/00000.txt').read_text().startswith('the red dog\n')
