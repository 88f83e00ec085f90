"""What does each way of `style` take from a style, and what does it leave of a content?

pip install -e '.[oracle,perceptual]' && python -m gan_vae.data.prepare hed
GAN_VAE_TEST_DATA=FOLDER python -m benchmarks.quality.style compare OUT.png
    [--size=160] [--seed=0] [--runs=FOLDER] [--ways=fast]
    [--data=cifar10] [--side=64] [--features=random] [--steps=1000]
python -m benchmarks.quality.style step [--size=256] [--rounds=8]

compare: three photographs of scikit-image (astronaut: NASA; chelsea, coffee: CC0) in
styles: FOLDER/pictures/mondrian_cropped.jpg and woman_in_peasant_dress_cropped.jpg
(paintings out of copyright) and scikit-image's ihc (no known restrictions), by every
method at its default. `distance`: patch sliced Wasserstein to the style in grey levels,
before and after; `structure`: SSIM of luma to the content; `cpu_seconds`: of one
process with its compilation at a shape's first use, and of fast without its training:
a run for each style in --runs, trained here unless present, on pictures of --data at
--side pixels.

step: the cost of one step of the patch method. Three versions take turns, and each
ratio is the median over rounds of paired CPU times, over that of `ours` (JAX's
convolutions, NumPy's sort on the host): `xla` is one program that sorts as well,
`numpy` has the patches as rows of a matrix and no JAX. Adds rows to
results/style_step.jsonl.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import skimage.data
from PIL import Image

from benchmarks.rows import ROOT, append
from gan_vae import images
from gan_vae.art.making import open_model, request
from gan_vae.art.provenance import read_input
from gan_vae.art.style import patch, score
from gan_vae.art.style import row as side_by_side
from gan_vae.art.tools import find
from gan_vae.data.pictures import within
from gan_vae.devices import process
from gan_vae.errors import UserError

CONTENTS = ('astronaut', 'chelsea', 'coffee')
STYLES = ('mondrian_cropped.jpg', 'woman_in_peasant_dress_cropped.jpg', 'ihc.png')
WAYS = {
    'colour': {},
    'linear': {},
    'patch': {},
    'patch, 20 steps': {'steps': 20},
    'neighbour': {},
    'gatys, vgg_hed': {'features': 'vgg_hed'},
    'gatys, random': {'features': 'random'},
    'fast': {},
}


def place(name: str) -> Path:
    """Of a picture: among those of scikit-image, or of the tests' data."""
    ours = Path(os.environ['GAN_VAE_TEST_DATA']) / 'pictures' / name
    return ours if ours.exists() else Path(skimage.data.__file__).parent / name


def trained(given, style: str) -> str:
    """The folder of the run that knows one style; the same command, if it ended."""
    folder = str(Path(given.runs) / Path(style).stem)
    words = {'method.style': str(place(style)), 'data.name': given.data}
    words |= {'data.image_size': given.side, 'train.seed': given.seed}
    words |= {'method.style_features': given.features, 'train.steps': given.steps}
    if ':' in given.data:
        words |= {'data.split': 'all', 'data.eval_split': 'test[:8]'}
    flags = [f'--config.{name}={value}' for name, value in words.items()]
    config = f'--config={ROOT}/configs/fast_style_emoji.py:small'
    command = [sys.executable, ROOT / 'launch.py', config, f'--workdir={folder}']
    subprocess.run(command + flags, check=True)
    return folder


def compare(given):
    """Prints and appends the figures of each method, and writes the sheet."""
    if 'GAN_VAE_TEST_DATA' not in os.environ:
        sys.exit(__doc__)
    bands, rows = [], []
    for content in CONTENTS:
        for name in STYLES:
            inputs = [read_input(str(place(n))) for n in (f'{content}.png', name)]
            band = [np.asarray(Image.open(t.word).convert('RGB')) for t in inputs]
            for way in given.ways:
                more = WAYS[way]
                tool = find('style')
                flags = {n: f.default for n, f in tool.flags.items()}
                flags |= {'seed': given.seed, 'size': given.size}
                flags |= {'method': way.split(',')[0]} | more
                model, given_inputs = None, inputs
                if way == 'fast':
                    folder = trained(given, name)
                    flags |= {'workdir': folder, 'step': None}
                    model = open_model('style', tool, Namespace(**flags))
                    given_inputs = inputs[:1]
                task = request('style', model, given_inputs, Namespace(**flags))
                start = time.process_time()
                made = tool.make(task)
                row = {'case': f'{content} in {Path(name).stem}', 'method': way}
                row |= made.metrics | {'cpu_seconds': time.process_time() - start}
                if model:  # what learned a style is not given it
                    look = np.asarray(within(Image.fromarray(band[1]), given.size))
                    plain = np.asarray(within(Image.fromarray(band[0]), given.size))
                    row['distance_before'] = score.distance(plain, [look], [1.0])
                    row['trained'] = f'{given.data.partition(":")[0]}, {given.side} px'
                    row['trained'] += f', {given.features}, {given.steps} steps'
                    image = made.pictures[0].image
                    row['distance'] = score.distance(image, [look], [1.0])
                row |= {'size': given.size, 'seeds': [given.seed]}
                rows.append(row)
                append('style', dict(row))
                print(row, flush=True)
                band.append(made.pictures[0].image)
            bands.append(side_by_side(band))
            width = max(b.shape[1] for b in bands)
            page = [
                np.pad(
                    b, ((0, 4), (0, width - b.shape[1]), (0, 0)), constant_values=235
                )
                for b in bands
            ]
            images.save_png(given.out, np.concatenate(page))
    print('| method | distance before | after | structure | CPU seconds |')
    print('| --- | --- | --- | --- | --- |')
    for way in given.ways:
        of_way = [row for row in rows if row['method'] == way]
        names = ('distance_before', 'distance', 'structure', 'cpu_seconds')
        means = [np.mean([row[n] for row in of_way]) for n in names]
        print(f'| {way} | ' + ' | '.join(f'{m:.2f}' for m in means) + ' |')


@jax.jit
def _wanted(responses, of_style):
    order = jnp.argsort(responses, -1)
    change = jnp.sort(of_style, -1) - jnp.take_along_axis(responses, order, -1)
    return jnp.put_along_axis(
        jnp.zeros_like(responses), order, change, -1, inplace=False
    )


def xla(x, style, state, filters, offset, stride):
    lack = _wanted(
        *(patch.respond(image, filters, offset, stride) for image in (x, style))
    )
    return patch._step(x, state, x, filters, lack, 1.0, offset, stride)[0]


def ours(x, style, state, filters, offset, stride):
    responses, of_style = (
        np.asarray(patch.respond(image, filters, offset, stride))
        for image in (x, style)
    )
    lack = patch.lacking(responses, np.sort(of_style, -1))
    return patch._step(x, state, x, filters, lack, 1.0, offset, stride)[0]


def numpy(x, style, state, filters, offset, stride):
    side, (dy, dx) = patch.SIDE, (o % stride for o in offset)
    rows, columns = ((s - side + 1) // stride for s in x.shape[:2])
    kernel = filters.transpose(0, 3, 1, 2).reshape(len(filters), -1)

    def respond(image):
        found = np.lib.stride_tricks.sliding_window_view(image, (side, side), (0, 1))
        found = found[dy::stride, dx::stride][:rows, :columns]
        return kernel @ found.reshape(rows * columns, -1).T

    lack = patch.lacking(respond(x), np.sort(respond(style), -1))
    back = (lack.T @ kernel).reshape(rows, columns, 3, side, side)
    pull, over = np.zeros_like(x), np.zeros_like(x)
    for i in range(side):
        for j in range(side):
            at = np.s_[dy + i :: stride, dx + j :: stride]
            pull[at][:rows, :columns] += back[..., i, j]
            over[at][:rows, :columns] += 1
    first, second = state
    slope = -pull * (side * side * 3 / len(filters)) / np.maximum(over, 1)
    first = 0.9 * first + 0.1 * slope
    second = 0.999 * second + 0.001 * slope**2
    change = (first / 0.1) / (np.sqrt(second / 0.001) + 1e-3)
    return np.clip(x - np.float32(patch.RATE) * change, -1, 1)


def time_step(given):
    """Prints and appends the cost of a step of each version."""
    process.prepare()
    random = np.random.default_rng(0)
    x, style = np.float32(random.uniform(-1, 1, (2, given.size, given.size, 3)))
    stride = patch.stride_of(x.shape)
    filters = patch.unit_filters(random, patch.FILTERS)
    offset = np.int32([3, 5])
    on_device = [jnp.asarray(image) for image in (x, style)]
    calls = {
        'ours': lambda: ours(*on_device, patch._adam.init(x), filters, offset, stride),
        'xla': lambda: xla(*on_device, patch._adam.init(x), filters, offset, stride),
        'numpy': lambda: numpy(x, style, (0 * x, 0 * x), filters, offset, stride),
    }
    made = [np.asarray(call()) for call in calls.values()]
    for other in made[1:]:
        np.testing.assert_allclose(other, made[0], atol=2e-3)
    cpu, wall = ({name: [] for name in calls} for _ in range(2))
    for _ in range(given.rounds):
        for name, call in calls.items():
            start = time.process_time(), time.perf_counter()
            np.asarray(call())
            cpu[name].append(time.process_time() - start[0])
            wall[name].append(time.perf_counter() - start[1])
    print('| version | CPU ms a step | ms by the clock | CPU time over ours |')
    print('| --- | --- | --- | --- |')
    for name in calls:
        ratio = statistics.median(np.divide(cpu[name], cpu['ours']))
        each = [1e3 * statistics.median(of[name]) for of in (cpu, wall)]
        print(f'| {name} | {each[0]:.1f} | {each[1]:.1f} | {ratio:.2f} |')
        if name == 'ours':
            continue
        row = {'case': f'patch step, {given.size} px', 'against': name, 'peer': each[0]}
        row |= {'ours': 1e3 * statistics.median(cpu['ours']), 'ratio': ratio}
        row |= {'unit': 'CPU ms a step', 'clock_ms': each[1], 'rounds': given.rounds}
        append('style_step', row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser('compare')
    part.set_defaults(measure=compare)
    part.add_argument('out')
    part.add_argument('--size', type=int, default=160)
    part.add_argument('--seed', type=int, default=0)
    part.add_argument('--runs', default='runs/style')
    part.add_argument('--ways', nargs='+', default=[*WAYS], choices=[*WAYS])
    part.add_argument('--data', default='cifar10', help='what fast is trained on')
    part.add_argument('--side', type=int, default=64, help='pixels of that')
    part.add_argument('--features', default='random', help='or vgg_hed')
    part.add_argument('--steps', type=int, default=1000)
    part = parts.add_parser('step')
    part.set_defaults(measure=time_step)
    part.add_argument('--size', type=int, default=256)
    part.add_argument('--rounds', type=int, default=8)
    given = parser.parse_args()
    given.measure(given)


if __name__ == '__main__':
    try:
        main()
    except UserError as error:
        sys.exit(f'gan_vae: {error}')
