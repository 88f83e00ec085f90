"""Captions as numbers, and wordings that are never trained on."""

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data import texts
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.texts import Text
from gan_vae.data.vector_art import captions
from gan_vae.errors import UserError

TEXT = Text('words', ('a', 'red', 'sky-blue', 'cat'), 5, ('a red cat',))


def examples(captions=('A red cat.', 'a sky-blue dog')):
    return Examples(np.zeros((len(captions), 8, 8, 3), np.uint8), captions=captions)


def test_words_are_numbers_from_one_on_and_unknown_ones_are_left_out():
    found = texts.encode(TEXT, ['A red, RED cat!', 'a sky-blue dog', ''])
    expected = [[1, 2, 2, 4, 0], [1, 3, 0, 0, 0], [0] * 5]
    np.testing.assert_array_equal(found, expected)
    assert texts.unknown(TEXT, 'a Dog and a dog') == ['dog', 'and']
    assert texts.encode(TEXT, ['a ' * 9]).shape == (1, 5)


def test_a_set_has_the_words_of_its_captions():
    text, tokens = texts.of(examples(), 'words')
    assert set(text.words) == {'a', 'red', 'cat', 'sky-blue', 'dog'}
    assert text.words[0] == 'a' and text.length == 3
    assert tokens.shape == (2, 1, 3)
    words = [[text.words[n - 1] for n in row if n] for row in tokens[:, 0]]
    assert words == [['a', 'red', 'cat'], ['a', 'sky-blue', 'dog']]


def test_a_set_without_captions_or_factors_says_so():
    for kind in texts.KINDS:
        with pytest.raises(UserError, match=f'config.data.text={kind}'):
            texts.of(examples(('', '')), kind)


@pytest.mark.parametrize('kind', texts.KINDS)
def test_art_has_captions_in_words_and_in_factors(kind):
    settings = Settings(name='art:sprouts=60', split='train', image_size=16, text=kind)
    try:
        found = data.training(settings)
    except UserError as error:
        assert kind == 'minilm'
        pytest.skip(str(error))
    wordings = 1 if kind == 'factors' else texts.WORDINGS
    assert found.tokens.shape == (found.size, wordings, found.text.length)
    assert (found.tokens > 0).any(-1).all()
    batch = found.gather(np.arange(4))
    np.testing.assert_array_equal(batch['text'], found.tokens[:4])
    # another split is numbered by the same words
    other = data.examples(settings, 'test', found.text)
    assert other.text == found.text
    assert kind == 'minilm' or other.tokens.max() <= len(found.text.words)
    if kind == 'factors':
        row = texts.factor_captions(found)[0].split()
        assert row[0] == 'sprouts'
        seen = dict(word.split('=') for word in row[1:])
        names = found.factor_values
        for name, value in seen.items():
            assert names[name][found.factors[name][0]] == value
    taken = found.take(np.array([3, 1]))
    np.testing.assert_array_equal(taken.tokens, found.tokens[[3, 1]])


def test_negative_wordings_are_never_trained_on():
    """Not their order of parts, nor their head."""
    seen = {
        'plant': 'cactus',
        'plantColor': '#4ade80',
        'pot': 'bowl',
        'potColor': '#fcd34d',
        'backgroundColor': '#047857',
        'eyes': 'happy',
        'mouth': 'smile',
    }
    trained = {captions.caption('sprouts', seen, n) for n in range(400)}
    held_out = {captions.caption('sprouts', seen, -n) for n in range(1, 60)}
    assert len(trained) > 50 and len(held_out) > 5
    assert not trained & held_out
    heads = [text for text in held_out if 'planted with' in text]
    assert len(heads) == len(held_out)
    assert not any('planted with' in text for text in trained)
