"""Does a model know the pictures that it was trained on better than others?

python -m benchmarks.quality.membership RUN... [--num=800]

auc: the probability that a training picture has the smaller mean squared error of two
pictures, one of the train and one of the held-out split; 0.5 is no memory, 1 tells all
members (Hilprecht et al. 2019, doi:10.2478/popets-2019-0067). By the Mann-Whitney
statistic; `error` is its standard error, by Hanley & McNeil 1982. Of a prior over codes
the error is -log p of the codes of a picture by its caption or class, in nats a code.
"""

import argparse

import numpy as np
from scipy import stats

import gan_vae as gv
from benchmarks.rows import report
from gan_vae import data
from gan_vae.data import texts

BATCH = 100


def errors(model, examples) -> np.ndarray:
    """Mean squared errors [n] of reconstructions, of pixels in 0..1; of a prior over
    codes, nats of a code."""
    if model._method.code_prior:
        return nats(model, examples)
    classes = [int(k) for k in examples.labels] if model.classes else None
    again = model.decode(
        model.encode(examples.images, classes=classes), classes=classes
    )
    difference = examples.images / 255.0 - again / 255.0
    return np.mean(np.square(difference), (1, 2, 3))


def nats(model, examples) -> np.ndarray:
    """-log p [n] of the codes of pictures by their words, means over codes."""
    method, weights, parts = model._method, model._weights, []
    text, words = method.captions and method.captions.text, None
    if text:
        words = texts.encode(text, texts.captions_of(examples, text.kind)[0])
    elif model.classes:
        words = examples.labels[:, None] + 1
    codes = model.tokenise(examples.images)
    for start in range(0, len(codes), BATCH):
        rows = slice(start, start + BATCH)
        part = None if words is None else words[rows]
        score = method.code_prior.score(weights, codes[rows], part)
        parts.append(-np.asarray(score).mean((1, 2)))
    return np.concatenate(parts)


def auc(members: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """(share of pairs in which the member's error is the smaller, standard error)."""
    n, m = len(members), len(others)
    a = stats.mannwhitneyu(others, members).statistic / (n * m)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = a * (1 - a) + (n - 1) * (q1 - a * a) + (m - 1) * (q2 - a * a)
    return float(a), float(np.sqrt(variance / (n * m)))


def measure(run: str, num: int) -> dict:
    """The row of a run."""
    model = gv.open(run)
    settings = model.config.data
    of_splits = []
    for split in (settings.split, settings.eval_split):
        examples = data.examples(settings, split)
        order = np.random.Generator(np.random.Philox(0)).permutation(examples.count)
        of_splits.append(errors(model, examples.take(np.sort(order[:num]))))
    value, error = auc(*of_splits)
    return {
        'case': model.config.data.name,
        'run': f'{model.config.name}, step {model.record["step"]}',
        'auc': round(value, 3),
        'error': round(error, 3),
        'nats' if model._method.code_prior else 'mse': [
            round(float(e.mean()), 5) for e in of_splits
        ],
        'num': [len(e) for e in of_splits],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN')
    parser.add_argument('--num', type=int, default=800)
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for run in flags.runs:
        report('membership', measure(run, flags.num), flags.dry)


if __name__ == '__main__':
    main()
