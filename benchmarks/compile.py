"""How long does a config take from the command to the end of its first step?

python -m benchmarks.compile [--cases=dcgan_cifar:small,...] [--plain] [--dry]

Each case runs in a fresh process, twice: with an empty cache of compiled programs, and
with the one that the first run left. Pictures are random numbers, on one device. Run it
on a machine that does nothing else.

  import    the modules, and the config
  start     the state at step 0, while the train step is compiled
  step      the first one
  total     of the process, from its start to the end of the first step
  rate      pictures a second, by the median of the next five steps

A third process, with an empty cache, does one after the other what `start` does:

  init      the state at step 0, traced, compiled and computed
  trace     the train step to StableHLO
  compile   StableHLO to machine code

`instructions` are those of the compiled step's HLO. --plain: with XLA's own
convolutions instead of those of gan_vae/models/convolutions.py.
"""

import argparse
import contextlib
import json
import resource
import statistics
import tempfile
import time

from benchmarks.rows import ROOT, append, row_of_process

CASES = (
    'dcgan_cifar:small',
    'vae_cifar:small',
    'sngan_cifar:small',
    'wgan_gp_cifar:small',
    'biggan_cifar:small',
    'vdvae_cifar:small',
    'vae_gan_cifar:small',
    'dcgan_emoji',
    'dcgan_cifar',
    'sngan_cifar',
)
TIMES = ('import', 'start', 'step', 'total')
PARTS = ('init', 'trace', 'compile')


def measure(case: str, plain: bool, started: float, apart: bool) -> dict:
    """The row of one process. started: time.time() where it was begun."""
    import jax
    import numpy as np

    from gan_vae import config as config_lib
    from gan_vae.data.source import Spec
    from gan_vae.devices import process
    from gan_vae.devices.mesh import put
    from gan_vae.models import convolutions
    from gan_vae.runs.program import build, start

    name, _, variant = case.partition(':')
    place = str(ROOT / 'configs' / f'{name}.py') + (f':{variant}' if variant else '')
    config = config_lib.load(place, {'parallel.devices': '1'})
    times = {'import': time.time() - started}
    size = config.data.image_size
    names = tuple(map(str, range(10)))
    rng = np.random.default_rng(0)

    @contextlib.contextmanager
    def timed(what):
        begin = time.perf_counter()
        yield
        times[what] = time.perf_counter() - begin

    with convolutions.plain() if plain else contextlib.nullcontext():
        program = build(config, Spec(size, size, config.data.channels, names))
        rows = config.data.batch_size * program.method.batches_per_step
        batch = {
            'image': rng.integers(
                0, 256, (rows, size, size, config.data.channels), np.uint8
            ),
            'label': np.arange(rows, dtype=np.int32) % 10,
            'index': np.arange(rows, dtype=np.int32),
        }
        batch = put(batch, program.mesh)
        if apart:
            with timed('init'):
                init = jax.jit(
                    program.method.init,
                    out_shardings=program.sharding,
                    compiler_options=process.of_init(),
                )
                state = jax.block_until_ready(init(jax.random.key(0)))
            with timed('trace'):
                lowered = program.train_step.lower(state, batch)
            with timed('compile'):
                lowered.compile()
            return {f'{what}_s': round(times[what], 2) for what in PARTS}
        with timed('start'):
            state = jax.block_until_ready(start(program, 0, batch))
        with timed('step'):
            state, _ = jax.block_until_ready(program.train_step(state, batch))
    times['total'] = time.time() - started
    steps = []
    for _ in range(5):
        begin = time.perf_counter()
        state, _ = jax.block_until_ready(program.train_step(state, batch))
        steps.append(time.perf_counter() - begin)
    text = program.train_step.lower(state, batch).compile().as_text()
    return {
        'case': case,
        'layers': 'plain' if plain else 'ours',
        **{f'{what}_s': round(times[what], 2) for what in TIMES},
        'instructions': sum(' = ' in line for line in text.splitlines()),
        'rate': round(rows / statistics.median(steps), 1),
        'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cases', default=','.join(CASES))
    parser.add_argument('--plain', action='store_true')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    parser.add_argument('--one', help=argparse.SUPPRESS)
    parser.add_argument('--apart', action='store_true', help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.one:
        case, started = flags.one.split(',')
        row = measure(case, flags.plain, float(started), flags.apart)
        return print(json.dumps(row))

    def row_of(case: str, folder: str, *more: str) -> dict:
        one = f'--one={case},{time.time()}'
        how = ['--plain'] * flags.plain
        return row_of_process(
            'benchmarks.compile', one, *how, *more, GAN_VAE_CACHE=folder
        )

    columns = ', '.join(TIMES + PARTS)
    print(f'| case | cache | {columns}, s | instructions | rate | peak, MB |')
    print('| --- ' * 6 + '|')
    for case in flags.cases.split(','):
        with tempfile.TemporaryDirectory() as empty:
            parts = row_of(case, empty, '--apart')
        with tempfile.TemporaryDirectory() as folder:
            for cache, known in (('empty', parts), ('warm', {})):
                row = row_of(case, folder) | known | {'cache': cache}
                times = [row[f'{what}_s'] for what in TIMES + PARTS * bool(known)]
                print(
                    f'| {case} | {cache} | {", ".join(f"{t:.1f}" for t in times)} | '
                    f'{row["instructions"]} | {row["rate"]} | {row["peak_mb"]} |',
                    flush=True,
                )
                if not flags.dry:
                    append('compile', row)


if __name__ == '__main__':
    main()
