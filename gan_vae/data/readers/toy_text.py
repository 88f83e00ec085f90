"""toy_text: sentences of a small grammar, which need no download: for tests."""

import numpy as np

from gan_vae.data import writing
from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.splits import joined

KIND = 'text'
SIZES = {'train': 400, 'validation': 50, 'test': 50}
NOUNS = 'cat', 'dog', 'bird', 'tree', 'river', 'moon'
VERBS = 'sees', 'hears', 'follows', 'forgets'
KINDS = 'small', 'old', 'quiet', 'red'


def load(rest: str, split: str, settings: Settings) -> Sequences:
    """The sentences of `split` ('train', 'test[:10]', 'all')."""
    parts, most = joined('toy_text', split, tuple(SIZES))
    names = list(SIZES)
    texts = [
        _sentence(np.random.default_rng((names.index(part), number)))
        for part in parts
        for number in range(SIZES[part])
    ]
    values = tuple(writing.points(text, ends=True) for text in texts[:most])
    return Sequences('text', values)


def _sentence(random: np.random.Generator) -> str:
    first, second = random.choice(NOUNS, 2)
    verb, kind = random.choice(VERBS), random.choice(KINDS)
    return f'the {kind} {first}\n{verb} the {second}.'
