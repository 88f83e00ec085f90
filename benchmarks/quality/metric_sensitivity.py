"""Which measure notices which fault? A ladder of distortions, each against its null.

python -m benchmarks.quality.metric_sensitivity --data=cifar10:test
python -m benchmarks.quality.metric_sensitivity --data=noto_emoji:all

For each seed the set is cut into a reference and other pictures of the same number;
those are distorted and measured against the reference. The null is the same measure of
the undistorted ones. The table holds medians over seeds of (value - null) / standard
error of the null: how many times its own noise a measure moves (=v: the value itself,
of a count that does not vary). '*' marks a family
through which the values go one way, away from the null, step by step for every seed.
With the extra `perceptual` installed there are columns of efficientnet_lite0. No
network sees a picture twice, whatever the measures and however many faults leave it.
"""

import argparse
import importlib.metadata
import statistics
import sys
from collections.abc import Callable
from unittest import mock

import numpy as np

from benchmarks.rows import append

METRICS = (
    'swd,fd_random,kid_random,fd_pixels,pr_random,dc_random,fd_classifier,'
    'modes_classifier'
)
WITH_PACKAGE = ',fd_efficientnet_lite0,kid_efficientnet_lite0'
FAMILIES = {
    'none': ('none',),
    'blur': ('blur 0.5', 'blur 1'),
    'noise': ('noise 5', 'noise 15', 'noise 40'),
    'shuffle': ('shuffle 2', 'shuffle 4', 'shuffle 8'),
    'modes dropped': ('drop 1', 'drop 3'),
    'duplicates': ('copies of 200', 'copies of 20'),
    'channels swapped': ('swap 10 %', 'swap 50 %'),
}


def distort(name: str, images: np.ndarray, labels: np.ndarray, rng) -> np.ndarray:
    """uint8 images [n, H, W, C] with one fault."""
    from scipy import ndimage

    kind, _, amount = name.partition(' ')
    n, height, width, _ = images.shape
    if kind == 'blur':
        sigma = (0, float(amount), float(amount), 0)
        return np.rint(ndimage.gaussian_filter(images.astype(float), sigma)).astype(
            'u1'
        )
    if kind == 'noise':
        noise = rng.normal(0, float(amount), images.shape)
        return np.rint(np.clip(images + noise, 0, 255)).astype(np.uint8)
    if kind == 'shuffle':
        k = int(amount)
        tiles = images.reshape(n, k, height // k, k, width // k, -1)
        tiles = tiles.swapaxes(2, 3).reshape(n, k * k, height // k, width // k, -1)
        tiles = np.stack([t[rng.permutation(k * k)] for t in tiles])
        tiles = tiles.reshape(n, k, k, height // k, width // k, -1)
        return tiles.swapaxes(2, 3).reshape(images.shape)
    if kind == 'drop':
        classes, counts = np.unique(labels, return_counts=True)
        gone = classes[np.argsort(-counts)[: int(amount)]]
        left = np.flatnonzero(~np.isin(labels, gone))
        return images[rng.choice(left, n)]
    if kind == 'copies':
        return images[rng.integers(0, int(amount.split()[1]), n)]
    if kind == 'swap':
        share = float(amount.split()[0]) / 100
        swapped = rng.random(n) < share
        return np.where(swapped[:, None, None, None], images[..., ::-1], images)
    return images


def by_picture(extract: Callable) -> Callable:
    """`extract` of features.py, asked only for pictures that it has not seen."""
    known: dict[tuple, dict] = {}

    def remembered(extractor, images, mesh):
        keys = [(extractor.name, image.tobytes()) for image in images]
        new = {key: i for i, key in enumerate(keys) if key not in known}
        if new:
            found = extract(extractor, images[[*new.values()]], mesh)
            for row, key in enumerate(new):
                known[key] = {name: values[row] for name, values in found.items()}
        return {
            name: np.stack([known[k][name] for k in keys]) for name in known[keys[0]]
        }

    return remembered


def measure(data: str, num: int, seed: int, metrics: str) -> dict[str, dict]:
    """{distortion: {metric: value}}, and the null's 'error', for one cut of the set."""
    from gan_vae.devices import process
    from gan_vae.devices.mesh import mesh_of
    from gan_vae.evaluation import places
    from gan_vae.evaluation.panel import Panel, Pictures
    from gan_vae.extractors import features

    process.prepare()
    place = places.opened(data)
    examples = places.examples(place, 32)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(examples.images))
    reference, others = examples.take(order[:num]), examples.take(order[num : 2 * num])
    train = examples
    if not data.endswith(':all'):  # of a split: the classifier learns from another
        train = places.examples(place, 32, 'train')
    panel = Panel(
        metrics, Pictures(data, reference), mesh_of(1, 1), train=train, seed=seed
    )
    with mock.patch.object(features, 'extract', by_picture(features.extract)):
        cards = panel.measure(others.images, {})
        found = {'error': {name: card.spread for name, card in cards.items()}}
        for name in (name for family in FAMILIES.values() for name in family):
            samples = distort(name, others.images, others.labels, rng)
            cards = panel.measure(samples, {})
            found[name] = {name: card.value for name, card in cards.items()}
            print(f'seed {seed} {name}', file=sys.stderr, flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', default='cifar10:test')
    parser.add_argument('--num', type=int, default=1000)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--metrics', default=_default_metrics())
    flags = parser.parse_args()
    if flags.num < 200:
        parser.error('--num is at least 200: one fault is copies of 200 pictures')
    runs = [
        measure(flags.data, flags.num, seed, flags.metrics)
        for seed in range(flags.seeds)
    ]
    names = [name for name in runs[0]['none'] if not name.startswith('swd_')]
    print(f'{flags.data}, {flags.num} against {flags.num}, {flags.seeds} seeds\n')
    print('| fault | ' + ' | '.join(names) + ' |')
    print('| --- |' + ' --- |' * len(names))
    for steps in FAMILIES.values():
        for step in steps:
            cells = [_cell(runs, steps, step, name) for name in names]
            print(f'| {step} | ' + ' | '.join(cells) + ' |')
            for name in names:
                row = {'data': flags.data, 'num': flags.num, 'seeds': flags.seeds}
                row |= {'case': step, 'metric': name}
                row |= {'values': [run[step][name] for run in runs]}
                append('metric_sensitivity', row)


def _default_metrics() -> str:
    from gan_vae.extractors.efficientnet_lite0 import PACKAGE

    try:
        importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return METRICS
    return METRICS + WITH_PACKAGE


def _cell(runs, steps, step, name) -> str:
    if step == 'none':
        return f'{statistics.median(run[step][name] for run in runs):.3g}'
    if not all(run['error'][name] for run in runs):  # a count that never moved
        return f'={statistics.median(run[step][name] for run in runs):g}'
    moved = [(run[step][name] - run['none'][name]) / run['error'][name] for run in runs]
    steady = step == steps[-1] and _steady(runs, steps, name)
    return f'{statistics.median(moved):.1f}{"*" if steady else ""}'


def _steady(runs, steps, name) -> bool:
    """Whether the values of a family go one way, away from the null, in every run."""
    signs = set()
    for run in runs:
        values = [run[step][name] for step in ('none', *steps)]
        signs |= set(np.sign(np.diff(values)))
    return len(signs) == 1 and 0 not in signs


if __name__ == '__main__':
    main()
