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

moods: captions that name no eyes and no mouth, and say a mood (its eyes and mouth are
those of gan_vae/data/vector_art/mood.py): the share of samples with its eyes and with
its mouth, and of the other factors that change beside the same caption without it; and
the same of `art reword`, of captions that name both.

r_precision: the share of pictures whose own caption is the likeliest of 100, the others
those of other held-out pictures (random, chance 0.01), and of 10, the others with one
factor changed (one_factor, chance 0.1). log p of a caption is the sum of log p of its
words, of all factors, by the classifier, which no model has seen.

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
from gan_vae.data.vector_art import captions, mood, styles
from gan_vae.data.vector_art.words import MOODS, NONE
from gan_vae.evaluation import factors
from gan_vae.methods import prompting
from gan_vae.methods.contract import Law

UNSEEN = -1  # the first wording that is never trained on
PROMPTS, EACH = 8, 16  # of the spread
PARTS = 'eyes', 'mouth'  # of a mood
RANDOM, CHANGED = 99, 9  # other captions of a picture, of R-precision
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

    def variants(self, values: np.ndarray) -> list[tuple[int, int]]:
        """(factor, another value of it) of all captions that differ from that of values
        int [k] by one word or more of one factor.

        Not of plants: another may need a colour of blooms that the picture has not.
        """
        return [
            (column, other)
            for column, words in enumerate(self.words)
            if words[values[column]] and self.known.names[column] != 'sprouts.plant'
            for other, word in enumerate(words)
            if word not in ('', words[values[column]])
        ]

    def scores(self, pictures: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """log p [n, c] of candidates int [n, c, k] of pictures [n, H, W, C]."""
        total = 0
        for column, (log_probs, words) in enumerate(
            zip(self.known.log_probs(pictures), self.words, strict=True)
        ):
            same = np.array(words)[:, None] == np.array(words)[None]
            merged = np.log(np.exp(log_probs) @ same + 1e-30)
            total = total + np.take_along_axis(merged, candidates[..., column], 1)
        return np.asarray(total)


def prompts_of(model, examples: Examples, wording: int = 0) -> tuple[str, ...]:
    """The caption of each example, as the model takes them."""
    if model.config.data.text == 'factors':
        return texts.factor_captions(examples)
    return captions.of(examples, wording)


def drawn(model, prompts, guidance, seed=0) -> np.ndarray:
    """A picture for each prompt."""
    return model.sample(
        len(prompts), seed=seed, prompt=list(prompts), guidance=guidance
    )


def with_factors(examples: Examples, known, values: np.ndarray) -> Examples:
    """Examples with the factors int [n, k]."""
    table = {name: values[:, number] for number, name in enumerate(known.names)}
    return examples._replace(factors=examples.factors | table)


def r_precision(named: Named, pictures, wanted: np.ndarray) -> dict:
    """Of pictures of the captions int [n, k]; see the head of this file."""
    random, rows = np.random.default_rng(0), np.arange(len(wanted))
    others = np.stack([random.permutation(np.delete(rows, n))[:RANDOM] for n in rows])
    changed = np.repeat(wanted[:, None], CHANGED, 1)
    for row, values in enumerate(wanted):
        variants = named.variants(values)
        for at, pick in enumerate(random.choice(len(variants), CHANGED, replace=False)):
            column, other = variants[pick]
            changed[row, at, column] = other

    def share(candidates):
        words = named.words_of(candidates.reshape(-1, wanted.shape[1]))
        same = words.reshape(candidates.shape) == named.words_of(wanted)[:, None]
        scores = named.scores(pictures, candidates)
        scores[same.all(-1)] = -np.inf  # the same caption
        own = named.scores(pictures, wanted[:, None])[:, 0]
        return round(float((own > scores.max(1)).mean()), 4)

    return {'random': share(wanted[others]), 'one_factor': share(changed)}


def edited(model, named: Named, examples: Examples, guidance) -> dict:
    """What a changed caption changes; the factors that are changed take turns."""
    wanted = factors.indices(examples, named.known)
    old = prompts_of(model, examples)
    before, other = (drawn(model, old, guidance, seed) for seed in (0, 1))
    changed, columns = wanted.copy(), np.zeros(len(wanted), int)
    random = np.random.default_rng(0)
    for row, values in enumerate(wanted):
        variants = named.variants(values)
        known = sorted({column for column, _ in variants})
        column = known[row % len(known)]
        new = [value for c, value in variants if c == column]
        changed[row, column], columns[row] = random.choice(new), column
    new = prompts_of(model, with_factors(examples, named.known, changed))
    after = drawn(model, new, guidance)
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
    if can_reword(model):
        before, after, share = reworded(model, examples.images, old, new, guidance)
        read = [named.words_of(named.known.of(x)) for x in (before, after)]
        changes['reworded'] = change(*read) | {'codes': round(share, 4)}
    return changes


def moods(model, named: Named, examples: Examples, guidance) -> dict:
    """What a mood in a caption changes; the moods take turns."""
    wanted = factors.indices(examples, named.known)
    own = [name.partition('.')[2] for name in named.known.names]
    columns = {part: [n for n, o in enumerate(own) if o == part] for part in PARTS}
    faces = np.isin(own, PARTS)
    bare = wanted.copy()
    bare[:, faces] = [named.known.values[n].index(NONE) for n in np.flatnonzero(faces)]
    plain = prompts_of(model, with_factors(examples, named.known, bare))
    turn = [list(MOODS)[row % len(MOODS)] for row in range(len(wanted))]
    others = (named.words_of(wanted) != '') & ~faces

    def change(before, after) -> dict:
        before, after = (named.words_of(named.known.of(x)) for x in (before, after))
        found = {'others': round(float((before != after)[others].mean()), 4)}
        for at, part in enumerate(PARTS):
            seen = [''.join(row) for row in after[:, columns[part]]]
            goal = [mood.words(m)[at] for m in turn]
            right = np.array([w.split(' | ')[0] for w in seen]) == goal
            found[part] = {
                m: round(float(right[n :: len(MOODS)].mean()), 3)
                for n, m in enumerate(MOODS)
            }
        return found

    with_mood = [f'{prompt}, {m}' for prompt, m in zip(plain, turn, strict=True)]
    before, after = (drawn(model, prompts, guidance) for prompts in (plain, with_mood))
    found = {'drawn': change(before, after)}
    if can_reword(model):
        old = prompts_of(model, examples)
        known = model._method.captions.text.words
        new = [mood.changed(was, m, known) for was, m in zip(old, turn, strict=True)]
        before, after, _ = reworded(model, examples.images, old, new, guidance)
        found['reworded'] = change(before, after)
    return found


def can_reword(model) -> bool:
    prior = model._method.code_prior
    return bool(prior and prior.score)


def reworded(model, pictures, old, new, guidance) -> tuple:
    """(pictures again, and changed from old captions to new; share of codes)."""
    method, weights = model._method, model._weights
    codes = model.tokenise(pictures)
    rows = [texts.encode(method.captions.text, prompts) for prompts in (old, new)]
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
    worded = settings.text != 'factors'
    train = data.examples(settings, 'train')
    sets = {
        split: examples.take(np.arange(min(num, examples.size)))
        for split in ('test', 'test_comp')
        for examples in [data.examples(settings, split)]
    }
    known = factors.load(train, sets['test'])
    named, accuracies, precision = Named(known), {}, {}
    for split, examples in sets.items():
        wanted = factors.indices(examples, known)
        prefix = '' if split == 'test' else 'comp_'
        seen = drawn(model, prompts_of(model, examples), guidance)
        pictures = {'real': examples.images, 'seen': seen}
        if model._method.codes:
            pictures['codes'] = model.detokenise(model.tokenise(examples.images))
        if worded:
            unseen = prompts_of(model, examples, UNSEEN)
            pictures['unseen'] = drawn(model, unseen, guidance)
        for what, x in pictures.items():
            accuracies[prefix + what] = named.right(known.of(x), wanted)
            precision[prefix + what] = r_precision(named, x, wanted)
        accuracies[f'{prefix}chance'] = named.chance(wanted)
        if split == 'test':
            cards = gv.measure(seen, examples.images, DISTANCES)
            distances = {name: round(card.value, 4) for name, card in cards.items()}
    start = time.perf_counter()
    test = sets['test']
    rows = [
        drawn(model, prompts_of(model, test.take(np.full(EACH, row))), guidance)
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
        'r_precision': precision,
        **edited(model, named, test, guidance),
        **({'moods': moods(model, named, test, guidance)} if worded else {}),
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
