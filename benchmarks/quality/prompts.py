"""Does a picture show what the words say? Rows of prompts.jsonl.

python -m benchmarks.quality.prompts RUN [--num=512] [--guidance=2]
python -m benchmarks.quality.prompts RUN --sheet=OUT.png

A classifier of factors (gan_vae/evaluation/factors.py, trained on the real pictures of
the train split) reads each picture. A factor counts where the caption names it, and
values with the same words are one. Accuracies are means over factors:

  real         of held-out pictures, by their own factors: the ceiling
  codes        of the same pictures, reconstructed by the tokeniser, if there is one
  seen         of samples, on captions of held-out pictures in wordings trained on
  unseen       the same, in wordings that were never trained on
  comp, ...    likewise of the split test_comp, whose pairs of factors were never seen
  chance       of real pictures by the most frequent value

edited: the captions of `seen` with one factor changed, drawn by the same seed: the
share of samples that have the new value (asked of those that had the old one), and the
mean share of the other factors whose words change; beside it the same share between
samples of one caption by two seeds. reworded: the same of held-out pictures that `art
reword` changes, beside their reconstructions; and the share of codes that
differ when the result is encoded again.

spread: RMS distance of two samples of one prompt, in grey levels, and beside it that of
two real pictures. distances: Fréchet distances in two spaces, of the samples `seen` to
the pictures whose captions they are of. For models with config.data.text=factors there
are no wordings.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import gan_vae as gv
from benchmarks.rows import report
from gan_vae import data, images
from gan_vae.art import sheets
from gan_vae.art.tools import reword
from gan_vae.data import texts
from gan_vae.data.source import Examples
from gan_vae.data.vector_art import captions, styles
from gan_vae.data.vector_art.factors import NONE
from gan_vae.evaluation import factors
from gan_vae.methods import prompting
from gan_vae.methods.contract import Law

UNSEEN = -1  # the first wording that is never trained on
PROMPTS, EACH = 8, 16  # of the spread
COLUMNS = 6
DISTANCES = 'fd_random,fd_vgg_hed'  # of the samples `seen` to those pictures
SHOWN = [  # each changes a word of the one before, or says less
    'a green cactus in an orange bowl with a smile on navy',
    'a green cactus in a white bowl with a smile on navy',
    'a green cactus in a white bowl with a frown on navy',
    'a pink flower on a green stem in a white bowl with a frown on navy',
    'a pink flower on a green stem in a white bowl with a frown on crimson',
    'a yellow critter with orange horns and a wink',
    'a yellow critter with orange horns and one eye',
    'a tall lavender monster on green',
    'on a violet background',
]


class Named:
    """Factors as far as words tell them apart."""

    def __init__(self, known: factors.Factors):
        self.known, self.words = known, []
        for name, values in zip(known.names, known.values, strict=True):
            style, _, factor = name.partition('.')
            words = styles.of(style)
            named = words.names[factor] if words else {}
            self.words.append([named.get(v, '') if v != NONE else '' for v in values])

    def words_of(self, values: np.ndarray) -> np.ndarray:
        """The words [n, k] of values int [n, k]."""
        columns = [
            np.array(words, object)[values[:, column]]
            for column, words in enumerate(self.words)
        ]
        return np.stack(columns, -1)

    def right(self, seen: np.ndarray, wanted: np.ndarray) -> list[float]:
        """The share of each factor that is seen as wanted, int [n, k] both, of those
        pictures whose captions name it; NaN where none does."""
        words = self.words_of(wanted)
        right, has = self.words_of(seen) == words, words != ''
        return [
            float(right[has[:, k], k].mean()) if has[:, k].any() else np.nan
            for k in range(has.shape[1])
        ]

    def chance(self, wanted: np.ndarray) -> list[float]:
        """The share of the most frequent words of each factor."""
        shares = []
        for shown in self.words_of(wanted).T:
            _, counts = np.unique(shown[shown != ''].astype(str), return_counts=True)
            shares.append(float(counts.max() / counts.sum()))
        return shares


def drawn(model, examples: Examples, wording: int, guidance, seed=0) -> np.ndarray:
    """A picture for the caption of each example."""
    prompts = captions.of(examples, wording)
    if model.config.data.text == 'factors':
        prompts = texts.factor_captions(examples)
    return model.sample(len(prompts), seed=seed, prompt=prompts, guidance=guidance)


def edited(model, named: Named, examples: Examples, guidance) -> dict:
    """What a changed caption changes; the factors that are changed take turns."""
    wanted = factors.indices(examples, named.known)
    before = drawn(model, examples, 0, guidance)
    other = drawn(model, examples, 0, guidance, seed=1)
    changed, columns = wanted.copy(), np.zeros(len(wanted), int)
    random = np.random.default_rng(0)
    for row, values in enumerate(wanted):
        known = [
            c
            for c, name in enumerate(named.known.names)
            # another plant may need a colour of blooms that the picture has not
            if named.words[c][values[c]] and name != 'sprouts.plant'
        ]
        column = known[row % len(known)]
        words = named.words[column]
        new = [v for v, w in enumerate(words) if w and w != words[values[column]]]
        changed[row, column], columns[row] = random.choice(new), column
    table = {name: changed[:, number] for number, name in enumerate(named.known.names)}
    again = examples._replace(factors=examples.factors | table)
    after = drawn(model, again, 0, guidance)
    seen = [named.words_of(named.known.of(x)) for x in (before, after, other)]
    rows = np.arange(len(columns))
    goal = named.words_of(changed)[rows, columns]
    others = np.ones(changed.shape, bool)
    others[rows, columns] = False
    others &= named.words_of(wanted) != ''
    was = named.words_of(wanted)[rows, columns]

    def change(before, after):
        had = before[rows, columns] == was
        return {
            'wanted': round(float((after[rows, columns] == goal)[had].mean()), 4),
            'others': round(float((before != after)[others].mean()), 4),
        }

    changes = {'edited': change(*seen[:2])}
    changes['edited']['others_by_another_seed'] = round(
        float((seen[0] != seen[2])[others].mean()), 4
    )
    prior = model._method.code_prior
    if prior and prior.score:
        before, after, share = reworded(model, examples, again, guidance)
        read = [named.words_of(named.known.of(x)) for x in (before, after)]
        changes['reworded'] = change(*read) | {'codes': round(share, 4)}
    return changes


def reworded(model, old: Examples, new: Examples, guidance) -> tuple:
    """(pictures reconstructed, and changed by other captions; share of codes)."""
    method, weights = model._method, model._weights
    codes = model.tokenise(old.images)
    as_factors = model.config.data.text == 'factors'
    rows = [
        texts.encode(
            method.captions.text,
            texts.factor_captions(x) if as_factors else captions.of(x),
        )
        for x in (old, new)
    ]
    floors = prompting.floors(method, weights, codes, rows[0], reword.NATS)
    law = Law(guidance)
    given = codes, floors
    after = prompting.draw(method, weights, 0, len(codes), rows[1], law, given)
    changed = model.tokenise(after) != codes
    return model.detokenise(codes), after, float(changed.mean())


def spread(pictures: np.ndarray) -> float:
    """The RMS distance of two of pictures [n, H, W, C]."""
    return float(np.sqrt(2 * pictures.astype(float).var(0, ddof=1).mean()))


def measure(run: str, num: int, guidance: float | None) -> dict:
    """The row of a run."""
    model = gv.open(run)
    settings = model.config.data
    train = data.examples(settings, 'train')
    sets = {
        split: examples.take(np.arange(min(num, examples.count)))
        for split in ('test', 'test_comp')
        for examples in [data.examples(settings, split)]
    }
    known = factors.load(train, sets['test'])
    named, accuracies = Named(known), {}
    for split, examples in sets.items():
        wanted = factors.indices(examples, known)
        prefix = '' if split == 'test' else 'comp_'

        def right(pictures, wanted=wanted):
            return named.right(known.of(pictures), wanted)

        accuracies |= {
            f'{prefix}real': right(examples.images),
            f'{prefix}seen': right(seen := drawn(model, examples, 0, guidance)),
            f'{prefix}chance': named.chance(wanted),
        }
        if model._method.codes:
            again = model.detokenise(model.tokenise(examples.images))
            accuracies[f'{prefix}codes'] = right(again)
        if split == 'test':
            cards = gv.measure(seen, examples.images, DISTANCES)
            distances = {name: round(card.value, 4) for name, card in cards.items()}
        if settings.text == 'words':
            unseen = drawn(model, examples, UNSEEN, guidance)
            accuracies[f'{prefix}unseen'] = right(unseen)
    start = time.perf_counter()
    test = sets['test']
    rows = [
        drawn(model, test.take(np.full(EACH, row)), 0, guidance)
        for row in range(PROMPTS)
    ]
    seconds = (time.perf_counter() - start) / (PROMPTS * EACH)
    return {
        'case': settings.name,
        'run': f'{model.config.name}, step {model.record["step"]}',
        'method': model.config.method.name,
        'text': settings.text,
        'guidance': guidance or model.config.method.get('guidance'),
        'accuracy': {k: round(float(np.nanmean(v)), 4) for k, v in accuracies.items()},
        'by_factor': {
            name: [
                None if np.isnan(v[column]) else round(v[column], 3)
                for v in accuracies.values()
            ]
            for column, name in enumerate(known.names)
        },
        **edited(model, named, sets['test'], guidance),
        'distances': distances,
        'spread': [
            round(float(np.mean([spread(r) for r in rows])), 1),
            round(spread(test.images), 1),
        ],
        'seconds_a_picture': round(seconds, 4),
        'num': num,
        'seed': 0,
    }


def sheet(run: str, file: str):
    """Writes a picture of a few samples of each of SHOWN, none selected."""
    model = gv.open(run)
    rows = [model.sample(COLUMNS, prompt=words) for words in SHOWN]
    picture = sheets.labelled(list(np.concatenate(rows)), COLUMNS, rows=SHOWN)
    images.save_png(Path(file), picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN')
    parser.add_argument('--num', type=int, default=512)
    parser.add_argument('--guidance', type=float, default=None)
    parser.add_argument('--sheet', default='', help='a picture to write')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for run in flags.runs:
        if flags.sheet:
            sheet(run, flags.sheet)
        else:
            report('prompts', measure(run, flags.num, flags.guidance), flags.dry)


if __name__ == '__main__':
    main()
