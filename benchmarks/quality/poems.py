"""Does a transformer write poems better than counts of characters? Rows of poems.jsonl.

python -m benchmarks.quality.poems RUN [--num=200]

perplexity: of the characters of the poems of a split, without their form, the ends of
lines and their own. Beside it those of n-grams of the same poems to train on, with the
same alphabet: absolute discounting by 0.75, interpolated down to equal characters
(Ney, Essen & Kneser 1994). They know the form as the network does: as what stands
before the poem.

form: the share of samples that have the lines of their form. copied: the mean length,
in characters, of the longest piece of a sample that is in a poem of the train split,
and that of held-out poems beside it; memorised: the share of samples that are a poem
of it.
"""

import argparse
from collections import Counter, defaultdict
from types import SimpleNamespace

import numpy as np

import gan_vae as gv
from benchmarks.rows import report
from gan_vae import data
from gan_vae.data import poems, writing
from gan_vae.data.sequences import Sequences
from gan_vae.data.source import padded_batches

DISCOUNT = 0.75
BATCH = 64
MOST = 16  # characters of a piece that is looked for


class Ngrams:
    """Interpolated n-grams of symbols, trained on sequences."""

    def __init__(self, sequences: list[list[int]], order: int, symbols: int):
        self.order, self.symbols = order, symbols
        self.counts: list[dict] = [defaultdict(Counter) for _ in range(order)]
        for sequence in sequences:
            for at, symbol in enumerate(sequence):
                for n in range(order):
                    if n <= at:
                        self.counts[n][tuple(sequence[at - n : at])][symbol] += 1

    def probability(self, before: list[int], symbol: int) -> float:
        """p(symbol | the last symbols before)."""
        value = 1 / self.symbols
        for n in range(min(self.order, len(before) + 1)):
            seen = self.counts[n].get(tuple(before[len(before) - n :]))
            if not seen:
                break
            total = sum(seen.values())
            left = DISCOUNT * len(seen) / total
            value = max(seen[symbol] - DISCOUNT, 0) / total + left * value
        return value


def numbers(values: np.ndarray, places: dict[int, int]) -> list[int]:
    """The symbols of a poem."""
    return [places.get(int(v), writing.UNKNOWN) for v in values.ravel()]


def longest(text: str, pieces: set[str]) -> int:
    """Characters of the longest piece of a text that is among those."""
    length = 0
    for start in range(len(text)):
        while start + length < len(text) and text[start : start + length + 1] in pieces:
            length += 1
    return length


def pieces_of(texts: list[str]) -> set[str]:
    """All pieces of texts, of up to MOST characters."""
    return {
        text[a : a + n]
        for text in texts
        for a in range(len(text))
        for n in range(1, min(MOST, len(text) - a) + 1)
    }


def measure(run: str, split: str, num: int) -> list[dict]:
    """A row for each form."""
    model = gv.open(run)
    settings, method = model.config.data, model._method
    known = writing.alphabet(method.text)
    places = {point: number for number, point in enumerate(known)}
    train = data.examples(settings, 'train').values
    held_out = data.examples(settings, split).values
    sequences = [numbers(v, places) for v in train]
    orders = {
        name: Ngrams(sequences, n, len(known))
        for n, name in ((1, 'unigram'), (2, 'bigram'), (3, 'trigram'))
    }
    rows = []
    for form in poems.FORMS:
        texts = [v for v in held_out if chr(v[0, 0]) == poems.FORMS[form]]
        totals, count = Counter(), 0
        for value in texts:
            symbols = numbers(value, places)
            for at in range(1, len(symbols)):
                if known[symbols[at]] in (writing.END, ord('\n')):
                    continue
                count += 1
                for name, ngrams in orders.items():
                    p = ngrams.probability(symbols[:at], symbols[at])
                    totals[name] -= np.log(p)
        totals['transformer'] = _nats(model, texts)
        perplexity = {
            name: round(float(np.exp(total / count)), 1)
            for name, total in totals.items()
        }
        rows.append(
            {
                'case': form,
                'run': f'{model.config.name}, step {model.record["step"]}',
                'split': split,
                'poems': len(texts),
                'characters': count,
                'perplexity': perplexity,
                **_samples(model, form, train, texts, num),
                'num': num,
                'seed': 0,
            }
        )
    return rows


def _nats(model, texts) -> float:
    """-log p of the characters of poems, summed."""
    import jax

    weights, method, total = model._weights, model._method, 0.0
    state = SimpleNamespace(ema=weights.averaged, rng=weights.key)
    evaluate = jax.jit(lambda batch: method.evaluate_step(state, batch))
    for batch in padded_batches(Sequences('text', tuple(texts)), BATCH):
        total -= float(evaluate(batch)['log_prob_letters'])
    return total


def _samples(model, form, train, held_out, num) -> dict:
    """What samples of a form are like."""
    from gan_vae.art import sequences

    mark = poems.FORMS[form]
    values = sequences.complete(
        model._method, model._weights, writing.points(mark), 0, num
    )
    known = [writing.string(v)[1:] for v in train if chr(v[0, 0]) == mark]
    pieces, poems_known = pieces_of(known), set(known)
    texts, real = (
        [writing.string(v)[1:] for v in vs] for vs in (values, held_out[:num])
    )
    return {
        'form': round(float(np.mean([poems.is_regular(mark + t) for t in texts])), 4),
        'copied': [
            round(float(np.mean([longest(t, pieces) for t in those])), 2)
            for those in (texts, real)
        ],
        'memorised': round(float(np.mean([t in poems_known for t in texts])), 4),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('run', metavar='RUN')
    parser.add_argument('--split', default='test')
    parser.add_argument('--num', type=int, default=200)
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for row in measure(flags.run, flags.split, flags.num):
        report('poems', row, flags.dry)


if __name__ == '__main__':
    main()
