"""What does a step of the patch method cost, and where should it sort?

python experiments/style_speed.py [--size=256] [--rounds=8]

Three versions of the same step, in turns, medians over rounds of the paired ratios:
`ours` (JAX's convolutions, NumPy's sort on the host), `xla` (one program, which sorts
as well) and `numpy` (patches as rows of a matrix, no JAX at all). CPU time of the
process and time by the clock; `ratio` is another's CPU time over ours.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from speed import append

from gan_vae.art.style import patch
from gan_vae.devices import process


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', type=int, default=256)
    parser.add_argument('--rounds', type=int, default=8)
    given = parser.parse_args()
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
        append('style_speed', row)


if __name__ == '__main__':
    main()
