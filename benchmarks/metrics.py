"""How fast are the FID's two parts, against the libraries that define them?

pip install -e '.[test,oracle]'
python -m benchmarks.metrics inception [--num=64] [--batch=32] [--rounds=4]
python -m benchmarks.metrics frechet [--num=10000] [--size=2048] [--rounds=3]

inception: the same seeded weights and the same uint8 pictures of 32x32; both sides
resize them to 299 and give the 2048 features.

frechet: features float32 [num, size] with a spectrum that falls as 1/k, like a
network's. torch-fidelity is `fid_features_to_statistics` and
`fid_statistics_to_metric`; pytorch-fid is `calculate_frechet_distance` of the
covariances that its own code takes with np.cov.

The sides take turns in one process, on the same cores, and each ratio is the median
over rounds of their paired times.
"""

import argparse
import functools
import importlib.metadata as metadata
import runpy
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.rows import ROOT, append
from gan_vae.devices import process
from gan_vae.devices.mesh import mesh_of
from gan_vae.evaluation.metrics import fd
from gan_vae.extractors import Extractor, features, inception

TESTS = ROOT / 'tests'


@functools.cache
def with_torchvision():
    """torch, able to import torchvision. By path: libraries install a `tests` too."""
    golden = runpy.run_path(TESTS / 'evaluation' / 'golden' / 'metrics.py')
    return golden['declare_torchvision']()


def time_inception(flags):
    """Prints pictures a second of both sides and appends their row."""
    process.prepare()
    torch = with_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    state = runpy.run_path(TESTS / 'extractors' / 'test_inception.py')['seeded_state'](
        0
    )
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (flags.num, 32, 32, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'state.pth'
        torch.save({k: torch.tensor(v) for k, v in state.items()}, path)
        net = FeatureExtractorInceptionV3(
            'inception-v3-compat', ['2048'], feature_extractor_weights_path=str(path)
        ).eval()
    extractor = Extractor(
        'inception', '', 299, 'tf1', inception.fold(state), inception.network
    )

    def ours():
        return features.extract(extractor, pictures, mesh_of(1, 1), flags.batch)[
            'features'
        ]

    def theirs():
        batches = torch.from_numpy(pictures.transpose(0, 3, 1, 2)).split(flags.batch)
        with torch.inference_mode():
            return np.concatenate([net(batch)[0].numpy() for batch in batches])

    outputs = {'ours': ours(), 'torch_fidelity': theirs()}  # compiled, warmed up
    apart = np.abs(outputs['ours'] - outputs['torch_fidelity']).max()
    times = {name: [] for name in outputs}
    sides = {'ours': ours, 'torch_fidelity': theirs}
    for turn in range(flags.rounds):
        for name in list(sides) if turn % 2 else list(sides)[::-1]:
            start = time.perf_counter()
            sides[name]()
            times[name].append(time.perf_counter() - start)
    pairs = zip(times['torch_fidelity'], times['ours'], strict=True)
    ratio = statistics.median(peer / own for peer, own in pairs)
    own, peer = (flags.num / statistics.median(times[name]) for name in sides)
    print(
        f'{flags.num} pictures: ours {own:.1f}/s, torch-fidelity {peer:.1f}/s: ours is '
        f'{ratio:.2f} times as fast; features differ by {apart:.1e} at most'
    )
    row = {'case': 'inception', 'against': 'torch_fidelity', 'unit': 'pictures/s'}
    row |= {'ours': own, 'peer': peer, 'ratio': round(ratio, 3), 'num': flags.num}
    append('metrics', row | {'batch': flags.batch, 'rounds': flags.rounds})


def own_distance(x, y):
    """The time in seconds, and the distance."""
    start = time.perf_counter()
    value = fd.distance_of(x, y)
    return time.perf_counter() - start, value


def torch_fidelity(x, y):
    torch = with_torchvision()
    from torch_fidelity import metric_fid

    start = time.perf_counter()
    both = [metric_fid.fid_features_to_statistics(torch.from_numpy(f)) for f in (x, y)]
    (value,) = metric_fid.fid_statistics_to_metric(*both, False).values()
    return time.perf_counter() - start, value


def pytorch_fid(x, y):
    with_torchvision()
    from pytorch_fid.fid_score import calculate_frechet_distance

    start = time.perf_counter()
    of = [part for f in (x, y) for part in (f.mean(0), np.cov(f, rowvar=False))]
    value = calculate_frechet_distance(*of)
    return time.perf_counter() - start, float(value)


def time_frechet(flags):
    """Prints seconds against each library and appends their rows."""
    n, d = flags.num, flags.size
    random = np.random.default_rng(0)
    mix = random.standard_normal((d, d), np.float32) / np.arange(1, d + 1)[:, None]
    x, y = (random.standard_normal((n, d), np.float32) @ mix for _ in range(2))
    y = 1.05 * y + np.float32(0.01)
    print(f'{n} features of {d} dimensions a side, median of {flags.rounds} rounds')
    for peer in (torch_fidelity, pytorch_fid):
        for side in (own_distance, peer):
            side(x[:300, :64], y[:300, :64])  # imports and threads
        times, values = {own_distance: [], peer: []}, {}
        for turn in range(flags.rounds):
            for side in (own_distance, peer) if turn % 2 == 0 else (peer, own_distance):
                seconds, values[side] = side(x, y)
                times[side].append(seconds)
        report(f'n={n} d={d}', peer.__name__.replace('_', '-'), *times.values(), values)


def report(case, library, mine, theirs, values):
    """Prints a library's row and appends it to results/metrics.jsonl."""
    against = f'{library} {metadata.version(library)}'
    value, other = values.values()
    print(f'{against}: {other:.6f}, ours {value:.6f}')
    own, peer = np.array(mine), np.array(theirs)
    row = {'case': f'all {case}', 'against': against, 'unit': 's'}
    row |= {'ours': float(np.median(own)), 'peer': float(np.median(peer))}
    row |= {'ratio': round(statistics.median(peer / own), 3)}
    print(
        f'  {row["peer"]:7.2f} s, ours {row["ours"]:7.2f} s: '
        f'{row["ratio"]:.2f} times as fast'
    )
    row |= {'difference': abs(value - other), 'rounds': len(mine)}
    append('metrics', row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser('inception')
    part.set_defaults(measure=time_inception)
    part.add_argument('--num', type=int, default=64)
    part.add_argument('--batch', type=int, default=32)
    part.add_argument('--rounds', type=int, default=4)
    part = parts.add_parser('frechet')
    part.set_defaults(measure=time_frechet)
    part.add_argument('--num', type=int, default=10_000)
    part.add_argument('--size', type=int, default=2048, help='of a feature')
    part.add_argument('--rounds', type=int, default=3)
    flags = parser.parse_args()
    flags.measure(flags)


if __name__ == '__main__':
    main()
