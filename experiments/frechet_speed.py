"""How fast is a Fréchet distance, from two streams of features to the number?

pip install -e '.[test,oracle]'
python experiments/frechet_speed.py [--n=10000] [--d=2048] [--rounds=3]

Features float32 [n, d] with a spectrum that falls as 1/k, like a network's, in batches
of 100. `statistics` is both sets' moments, `distance` the number from them, `all` the
two. torch-fidelity is `fid_features_to_statistics` and `fid_statistics_to_metric` of
all features at once; pytorch-fid is `calculate_frechet_distance` of the covariances
that its own code takes with np.cov. The sides take turns in one process and each ratio
is the median over rounds of their paired times; all use the same cores.
"""

import argparse
import importlib.metadata as metadata
import statistics
import time

import numpy as np
from speed import append

from gan_vae.evaluation.metrics import fd
from tests.evaluation.golden.metrics import declare_torchvision

PARTS = ('statistics', 'distance', 'all')


def ours(x, y):
    """Times of the statistics and of the distance in seconds, and the distance."""
    start = time.perf_counter()
    both = [fd.of_batches(np.split(f, range(100, len(f), 100))) for f in (x, y)]
    middle = time.perf_counter()
    value = fd.distance(*both)
    return middle - start, time.perf_counter() - middle, value


def torch_fidelity(x, y):
    torch = declare_torchvision()
    from torch_fidelity import metric_fid

    start = time.perf_counter()
    both = [metric_fid.fid_features_to_statistics(torch.from_numpy(f)) for f in (x, y)]
    middle = time.perf_counter()
    found = metric_fid.fid_statistics_to_metric(*both, False)
    return middle - start, time.perf_counter() - middle, *found.values()


def pytorch_fid(x, y):
    declare_torchvision()
    from pytorch_fid.fid_score import calculate_frechet_distance

    start = time.perf_counter()
    of = [part for f in (x, y) for part in (f.mean(0), np.cov(f, rowvar=False))]
    middle = time.perf_counter()
    value = calculate_frechet_distance(*of)
    return middle - start, time.perf_counter() - middle, float(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--n', type=int, default=10_000)
    parser.add_argument('--d', type=int, default=2048)
    parser.add_argument('--rounds', type=int, default=3)
    flags = parser.parse_args()
    n, d = flags.n, flags.d
    random = np.random.default_rng(0)
    mix = random.standard_normal((d, d), np.float32) / np.arange(1, d + 1)[:, None]
    x, y = (random.standard_normal((n, d), np.float32) @ mix for _ in range(2))
    y = 1.05 * y + np.float32(0.01)
    print(f'{n} features of {d} dimensions a side, median of {flags.rounds} rounds')
    for peer in (torch_fidelity, pytorch_fid):
        for side in (ours, peer):
            side(x[:300, :64], y[:300, :64])  # imports and threads
        times, values = {ours: [], peer: []}, {}
        for turn in range(flags.rounds):
            for side in (ours, peer) if turn % 2 == 0 else (peer, ours):
                *parts, values[side] = side(x, y)
                times[side].append((*parts, sum(parts)))
        report(f'n={n} d={d}', peer.__name__.replace('_', '-'), *times.values(), values)


def report(case, library, mine, theirs, values):
    """Prints a library's rows and appends them to results/frechet_speed.jsonl."""
    against = f'{library} {metadata.version(library)}'
    value, other = values.values()
    print(f'{against}: {other:.6f}, ours {value:.6f}')
    for part, own, peer in zip(
        PARTS, np.transpose(mine), np.transpose(theirs), strict=True
    ):
        row = {'case': f'{part} {case}', 'against': against, 'unit': 's'}
        row |= {'ours': float(np.median(own)), 'peer': float(np.median(peer))}
        row |= {'ratio': round(statistics.median(peer / own), 3)}
        print(
            f'  {part:10} {row["peer"]:7.2f} s, ours {row["ours"]:7.2f} s: '
            f'{row["ratio"]:.2f} times as fast'
        )
        row |= {'difference': abs(value - other), 'rounds': len(mine)}
        append('frechet_speed', row)


if __name__ == '__main__':
    main()
