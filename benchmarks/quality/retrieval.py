"""Which features find pictures of the same kind? And how well is taste recommended?

python -m benchmarks.quality.retrieval [--data=emoji] [--num=N] [--run=RUN] [--step=N]
                                [--sheet=OUT.png]

Pictures of the train and validation splits are searched with held-out ones of the test
split (at most --num of each; cifar10 has no validation split) by each feature,
by the angle about the mean of what is searched, as `similar` does. mAP: mean over
queries of the average precision of the whole order, right being those of the query's
class; p@1 and p@10 the share of them among the first. chance: of a random order. Two
standard errors are over queries. `classifier` was taught these classes on the train
split, all others have seen no class (efficientnet_lite0 those of ImageNet).

Recommendation: for each query that has a class of 20 or more, 3 liked pictures of it
and 3 disliked of others are drawn from what is searched; recall@k is the share of the
first k = 16 that `recommend` gives which are of the class, of the k there could be.

--cells: how many of the 10 nearest the cells of search.py find, and how fast, of the
features `random` of cifar10's 60,000 pictures (needs the extra `search`).
"""

import argparse
import time

import numpy as np

from benchmarks.rows import append
from gan_vae.art import features, making, search, sheets
from gan_vae.art.tools import SHARED, find
from gan_vae.data.pictures import Fit

NAMES = ('pixels', 'random', 'efficientnet_lite0', 'classifier')
LIKED, SHOWN = 3, 16
VARIETIES = (0.0, 0.3, 0.6)


def average_precision(right: np.ndarray) -> np.ndarray:
    """[q] of bool [q, n], whether each of an order is right; one or more are."""
    ranks = np.arange(1, right.shape[1] + 1)
    precision = np.cumsum(right, 1) / ranks
    return (precision * right).sum(1) / right.sum(1)


def by_chance(labels: np.ndarray, of: np.ndarray, rng) -> np.ndarray:
    """Average precision [q] of a random order of pictures with `labels`."""
    orders = np.stack([rng.permutation(len(labels)) for _ in of])
    return average_precision(labels[orders] == of[:, None])


def retrieved(vectors, labels, queries, of) -> dict:
    """mAP and precisions, with standard errors over queries."""
    order = np.argsort(-(queries @ vectors.T), axis=1, kind='stable')
    right = labels[order] == of[:, None]
    found = {'map': average_precision(right), 'p1': right[:, 0] * 1.0}
    found['p10'] = right[:, :10].mean(1)
    means = {name: float(value.mean()) for name, value in found.items()}
    error = found['map'].std(ddof=1) / len(of) ** 0.5
    return means | {'map_error': float(error), 'per_query': found['map']}


def recommended(vectors, labels, of, variety: float) -> tuple[float, float, float]:
    """Precision of the first SHOWN (recall@k of the k there could be), its standard
    error, and the mean cosine between two of them."""
    rng = np.random.default_rng(0)  # the same tastes for all features
    shares, alike = [], []
    for label in of:
        own, rest = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        if len(own) < SHOWN + LIKED + 1:
            continue
        liked, disliked = rng.choice(own, LIKED, False), rng.choice(rest, LIKED, False)
        query = search.wanted(vectors[liked], vectors[disliked])
        chosen = search.varied(vectors, query, SHOWN, variety, [*liked, *disliked])
        shares.append(np.mean(labels[chosen] == label))
        cosines = vectors[chosen] @ vectors[chosen].T
        alike.append((cosines.sum() - SHOWN) / (SHOWN * (SHOWN - 1)))
    error = np.std(shares, ddof=1) / len(shares) ** 0.5
    return float(np.mean(shares)), float(error), float(np.mean(alike))


def copies(searched: np.ndarray, queries: np.ndarray) -> int:
    """How many queries have the same pixels as something that is searched."""
    there = {image.tobytes() for image in searched}
    return sum(image.tobytes() in there for image in queries)


def opened(workdir: str, step):
    flags = argparse.Namespace(**{n: f.default for n, f in SHARED.items()})
    flags.workdir, flags.step = workdir, step
    return making.open_model('index', find('index'), flags)


def cells(num: int):
    """Recall and time of the cells against all, of pixels."""
    found = features.examples('cifar10:train+test', Fit(32, 3))
    x = features.extract(features.extractor('random', None, ''), found.images)
    x = search.unit(x, x.mean(0, dtype=np.float64))
    order = np.random.default_rng(0).permutation(len(x))
    x, queries = x[order[num:]], x[order[:num]]
    start = time.perf_counter()
    parts = search.cells(x)
    built = time.perf_counter() - start
    _, right = search.nearest(x, queries, 10)
    for probed in (1, 8, search.PROBED, 128):
        start = time.perf_counter()
        _, near = search.probe(x, parts, queries, 10, probed)
        seconds = time.perf_counter() - start
        same = [len({*a} & {*b}) / 10 for a, b in zip(near, right, strict=True)]
        row = {
            'case': f'{probed} of {len(parts.centroids)} cells',
            'data': 'cifar10:all',
        }
        row |= {'recall_at_10': float(np.mean(same)), 'pictures': len(x)}
        row |= {'queries': num, 'seconds': seconds, 'seconds_to_build': built}
        print(f'| {row["case"]} | {row["recall_at_10"]:.3f} | {seconds:.1f} s |')
        append('retrieval', row | {'features': 'random', 'seed': 0})


def split_of(name: str, split: str, num: int):
    found = features.examples(f'{name}:{split}', Fit(32, 3))
    rows = np.random.default_rng(0).permutation(found.size)[:num]
    return found.take(np.sort(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', default='emoji')
    parser.add_argument('--num', type=int, default=2000)
    parser.add_argument('--run', default='')
    parser.add_argument('--step', type=int, default=None)
    parser.add_argument('--sheet', default='')
    parser.add_argument('--cells', type=int, default=0)
    flags = parser.parse_args()
    if flags.cells:
        return cells(flags.cells)
    whole = 'train' if flags.data == 'cifar10' else 'train+validation'
    searched, queries = (
        split_of(flags.data, split, flags.num) for split in (whole, 'test')
    )
    labels, of = searched.labels, queries.labels
    same = copies(searched.images, queries.images)
    about = {'data': flags.data, 'searched': len(labels), 'queries': len(of)}
    about |= {'copies': same, 'seed': 0}
    chance = by_chance(labels, of, np.random.default_rng(0))
    share = float(np.mean([np.mean(labels == label) for label in of]))
    row = {'case': 'chance', 'map': float(chance.mean()), 'p1': share, 'p10': share}
    row |= {f'recall_at_{SHOWN}_v{v}': share for v in VARIETIES}
    append('retrieval', row | about)
    print(f'{len(of)} queries, {len(labels)} searched, {same} copies among them\n')
    print('| feature | mAP | over pixels | p@1 | p@10 |', end='')
    print(''.join(f' k={SHOWN}, v={v} (alike) |' for v in VARIETIES))
    print('| --- | --- | --- | --- | --- |' + ' --- |' * len(VARIETIES))
    print(f'| chance | {row["map"]:.3f} | | {share:.3f} | {share:.3f} |' + ' |' * 3)
    run = opened(flags.run, flags.step) if flags.run else None
    pixels, best = None, None
    for name in (*NAMES, *(['encoder'] if run else [])):
        network = features.extractor(name, run, f'{flags.data}:train')
        x, q = (features.extract(network, s.images) for s in (searched, queries))
        mean = x.mean(0, dtype=np.float64)
        x, q = search.unit(x, mean), search.unit(q, mean)
        found = retrieved(x, labels, q, of)
        each = found.pop('per_query')
        pixels = each if pixels is None else pixels
        gain = each - pixels
        found['over_pixels'] = float(gain.mean())
        found['over_pixels_error'] = float(gain.std(ddof=1) / len(gain) ** 0.5)
        for v in VARIETIES:
            share, error, alike = recommended(x, labels, of, v)
            found |= {f'recall_at_{SHOWN}_v{v}': share, f'alike_v{v}': alike}
            found[f'recall_error_v{v}'] = error
        row = {'case': name, 'dimensions': x.shape[1], **found}
        append('retrieval', row | about | {'run': run and run.about['config']})
        cells_ = [
            f'{found[f"recall_at_{SHOWN}_v{v}"]:.3f} ({found[f"alike_v{v}"]:.2f})'
            for v in VARIETIES
        ]
        print(
            f'| {name} | {found["map"]:.3f} ± {2 * found["map_error"]:.3f} | '
            f'{found["over_pixels"]:+.3f} ± {2 * found["over_pixels_error"]:.3f} | '
            f'{found["p1"]:.3f} | {found["p10"]:.3f} | ' + ' | '.join(cells_) + ' |',
            flush=True,
        )
        if name == 'efficientnet_lite0':
            best = search.nearest(x, q, 8)
    if flags.sheet and best is not None:
        draw(flags.sheet, searched, queries, *best)


def draw(out: str, searched, queries, far, found):
    """Eight held-out pictures, one a class where there are, and their nearest."""
    from gan_vae import images

    _, rows = np.unique(queries.labels, return_index=True)
    cells, below = [], []
    for row in rows[:8]:
        cells += [queries.images[row], *(searched.images[i] for i in found[row])]
        right = searched.labels[found[row]] == queries.labels[row]
        marks = ['=' if ok else '' for ok in right]
        below += ['', *(f'{m} {d:.2f}' for m, d in zip(marks, far[row], strict=True))]
    images.save_png(out, sheets.labelled(cells, 9, below))


if __name__ == '__main__':
    main()
