"""What does the loop cost over the bare train step?

python -m benchmarks.loop

The step of configs/dcgan_emoji.py alone, on one batch, against the whole
loop: data, metrics, progress, TensorBoard, sample grids, checkpoints. The loop is timed
as the difference of a longer and a shorter run, so that start-up cancels out; one
checkpoint and one grid fall in each 250 steps.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.rows import ROOT, append

SHORT, LONG = 50, 300


def main():
    import jax

    from gan_vae import config as config_lib
    from gan_vae import data
    from gan_vae.data.source import Source, Spec
    from gan_vae.devices.mesh import put
    from gan_vae.runs.program import build
    from gan_vae.training import loop

    def config(steps):
        return config_lib.load(
            str(ROOT / 'configs' / 'dcgan_emoji.py'),
            {
                'train.steps': str(steps),
                'optimizer.schedule': 'constant',
                'train.image_steps': '250',
                'train.checkpoint_steps': '250',
            },
        )

    program = build(config(LONG), Spec(32, 32, 3))
    start = jax.jit(program.method.init, out_shardings=program.sharding)
    state = start(jax.random.key(0))
    examples = data.examples(config(LONG).data, 'train')
    batch = put(Source(examples, config(LONG).data.batch_size).batch(0), program.mesh)
    times = []
    for _ in range(60):
        begin = time.perf_counter()
        state, metrics = program.train_step(state, batch)
        jax.block_until_ready(metrics)
        times.append(time.perf_counter() - begin)
    bare = statistics.median(times[10:])
    with tempfile.TemporaryDirectory() as folder:
        seconds = [
            loop.train(config(steps), Path(folder) / str(steps))['seconds']
            for steps in (SHORT, LONG)
        ]
    looped = (seconds[1] - seconds[0]) / (LONG - SHORT)
    print(f'bare step {1e3 * bare:.1f} ms, in the loop {1e3 * looped:.1f} ms')
    print(f'the loop costs {looped / bare - 1:+.1%}')
    row = {'case': 'loop_cost', 'against': 'bare step', 'unit': 'ms'}
    row |= {'ours': 1e3 * looped, 'peer': 1e3 * bare, 'ratio': round(bare / looped, 3)}
    append('loop', row)
    print(json.dumps(row))


if __name__ == '__main__':
    main()
