"""R-precision of prompts: what is read right is found, and what is not read is not."""

import numpy as np
import pytest

from benchmarks.quality import prompts
from gan_vae.data.vector_art import factors as art
from gan_vae.data.vector_art import mood, styles

NAMES = [f'sprouts.{factor}' for factor in styles.of('sprouts').factors]


class Reader:
    """Reads factors off 'pictures' that are the values themselves."""

    names = NAMES
    values = tuple(art.values('sprouts', name.partition('.')[2]) for name in NAMES)
    blind = ()

    def log_probs(self, pictures):
        """Of the truth 0.9, of all else the rest; all alike where it is blind."""
        found = []
        for column, among in enumerate(self.values):
            p = np.full((len(pictures), len(among)), 0.1 / (len(among) - 1))
            p[np.arange(len(p)), pictures[:, column]] = 0.9
            if self.names[column] in self.blind:
                p[:] = 1 / len(among)
            found.append(np.log(p))
        return found


@pytest.fixture
def wanted():
    """Values int [200, k] of drawings, none of them absent."""
    random = np.random.default_rng(1)
    sizes = [len(among) - 1 for among in Reader.values]
    return np.stack([random.integers(0, size, 200) for size in sizes], -1)


def test_what_is_read_right_is_always_first(wanted):
    found = prompts.r_precision(prompts.Named(Reader()), wanted, wanted)
    assert found == {'random': 1.0, 'one_factor': 1.0}


def test_other_pictures_are_at_chance(wanted):
    named = prompts.Named(Reader())
    found = prompts.r_precision(named, np.roll(wanted, 1, 0), wanted)
    assert found['random'] < 0.05
    # 9 others of one factor changed: own and others are as wrong
    assert found['one_factor'] < 0.2


def test_a_factor_that_nobody_reads_is_found_by_one_factor_alone(wanted):
    reader = Reader()
    reader.blind = ('sprouts.mouth',)
    found = prompts.r_precision(prompts.Named(reader), wanted, wanted)
    assert found['random'] == 1.0
    # a tenth to a fifth of the changes are of mouths, and 9 are drawn
    assert found['one_factor'] < 0.5


def test_variants_change_words_of_one_factor(wanted):
    named = prompts.Named(Reader())
    variants = named.variants(wanted[0])
    assert len(set(variants)) == len(variants) > prompts.CHANGED
    for column, value in variants:
        words = named.words[column]
        assert words[value] not in ('', words[wanted[0, column]])
    assert 'sprouts.plant' not in {NAMES[column] for column, _ in variants}


def test_moods_are_told_by_the_words_of_their_eyes_and_mouths():
    named = prompts.Named(Reader())
    for at, part in enumerate(prompts.PARTS):
        known = {w.split(' | ')[0] for w in named.words[NAMES.index(f'sprouts.{part}')]}
        assert {mood.words(m)[at] for m in prompts.MOODS} <= known
