"""What does a device compute, hold and send, when a step is shared by 1, 2, 4 and 8?

python -m benchmarks.devices [--cases=dcgan_cifar,vae_cifar] [--devices=1,2,4,8]

The full-size configs, with the state copied and in parts (config.parallel.shard_state),
each in a process of its own with so many forced CPU devices. Per device and step, read
off the compiled program: FLOPs (cost analysis, of a program without loops over groups
of images, as XLA counts the body of a loop once), bytes of arguments and of temporaries
(memory analysis), and bytes that go into all-reduce, reduce-scatter and all-gather
(HLO). The forced devices share this machine's cores, so step times show what sharing
costs and no speed-up.
"""

import argparse
import json
import math
import os
import re
import statistics
import time
from unittest import mock

from benchmarks.rows import ROOT, append, row_of_process

COLLECTIVES = ('all-reduce', 'reduce-scatter', 'all-gather')
_BYTES = {'f32': 4, 's32': 4, 'u32': 4, 'bf16': 2, 'pred': 1}


def sent(hlo: str, n: int) -> dict[str, int]:
    """{collective: bytes of its operands on a device}, from a compiled program."""
    total = dict.fromkeys(COLLECTIVES, 0)
    kinds = '|'.join(COLLECTIVES)
    for shapes, kind in re.findall(rf'= (.*?) ({kinds})(?:-start)?\(', hlo):
        for dtype, dims in re.findall(r'(\w+)\[([\d,]*)\]', shapes):
            size = math.prod(int(d) for d in dims.split(',') if d) * _BYTES[dtype]
            total[kind] += {'reduce-scatter': size * n, 'all-gather': size // n}.get(
                kind, size
            )
    return total


def flops(config, spec, batch) -> float:
    """Of a step on one device; all images of a layer go through at once."""
    import jax

    from gan_vae.learning.state import abstract_state
    from gan_vae.models import convolutions
    from gan_vae.runs.program import build

    with mock.patch.object(convolutions, '_groups', lambda x, least: x[None]):
        program = build(config, spec)
        state = abstract_state(program.method.init, program.sharding)
        compiled = program.train_step.lower(state, batch).compile()
    jax.clear_caches()
    return compiled.cost_analysis()['flops']


def measure(case: str, n: int, shard_state: bool, steps: int) -> dict:
    """The row of one process, whose devices are forced already."""
    import jax
    import numpy as np

    from gan_vae import config as config_lib
    from gan_vae.data.source import Spec
    from gan_vae.devices.mesh import put
    from gan_vae.runs.program import build

    overrides = {'parallel.devices': str(n), 'parallel.shard_state': str(shard_state)}
    config = config_lib.load(str(ROOT / 'configs' / f'{case}.py'), overrides)
    program = build(config, Spec(32, 32, 3))
    rows = config.data.batch_size * program.method.batches_per_step
    pictures = np.random.default_rng(0).integers(0, 256, (rows, 32, 32, 3), np.uint8)
    index = np.arange(rows, dtype=np.int32)
    batch = put({'image': pictures, 'index': index}, program.mesh)
    gflop = flops(config, Spec(32, 32, 3), batch) / 1e9
    start = jax.jit(
        program.method.init,
        out_shardings=program.sharding,
        compiler_options={'xla_backend_optimization_level': 0},
    )
    state = start(jax.random.key(0))
    compiled = program.train_step.lower(state, batch).compile()
    memory, times = compiled.memory_analysis(), []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        state, metrics = jax.block_until_ready(compiled(state, batch))
        times.append(time.perf_counter() - begin)
    return {
        'case': case,
        'devices': n,
        'shard_state': shard_state,
        'gflop': gflop,
        'argument_mb': memory.argument_size_in_bytes / 1e6,
        'temporary_mb': memory.temp_size_in_bytes / 1e6,
        **{_key(k): size / 1e6 for k, size in sent(compiled.as_text(), n).items()},
        'step_ms': 1e3 * statistics.median(times[1:]) if steps else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cases', default='dcgan_cifar,vae_cifar')
    parser.add_argument('--devices', default='1,2,4,8')
    parser.add_argument('--steps', type=int, default=3, help='timed; 0 = none')
    parser.add_argument('--one', help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.one:
        case, n, shard_state = flags.one.split(',')
        row = measure(case, int(n), shard_state == 'True', flags.steps)
        return print(json.dumps(row))

    counts = [int(n) for n in flags.devices.split(',')]
    print('| case | devices | state | GFLOP | of 1/n | arguments, MB | temporaries, MB '
          '| all-reduce, reduce-scatter, all-gather, MB | step, ms |')  # fmt: skip
    print('| --- ' * 9 + '|')
    for case in flags.cases.split(','):
        alone = None
        for n in counts:
            for shard_state in (False, True) if n > 1 else (False,):
                row = _measured(case, n, shard_state, flags.steps)
                alone = alone or row['gflop'] * n
                row |= {'flop_ratio': row['gflop'] * n / alone, 'timed': TIMED}
                print(_line(row), flush=True)
                append('devices', row)


TIMED = 'forced CPU devices of one shared machine: overhead, not speed-up'


def _measured(case: str, n: int, shard_state: bool, steps: int) -> dict:
    given = os.environ.get('XLA_FLAGS', '')
    return row_of_process(
        'benchmarks.devices',
        f'--one={case},{n},{shard_state}',
        f'--steps={steps}',
        XLA_FLAGS=f'{given} --xla_force_host_platform_device_count={n}',
    )


def _line(row: dict) -> str:
    state = 'parts' if row['shard_state'] else 'copies'
    moved = ', '.join(f'{row[_key(kind)]:.1f}' for kind in COLLECTIVES)
    step = f'{row["step_ms"]:.0f}' if row['step_ms'] else ''
    return (
        f'| {row["case"]} | {row["devices"]} | {state} | {row["gflop"]:.2f} | '
        f'{row["flop_ratio"]:.3f} | {row["argument_mb"]:.1f} | '
        f'{row["temporary_mb"]:.1f} | {moved} | {step} |'
    )


def _key(kind: str) -> str:
    return kind.replace('-', '_') + '_mb'


if __name__ == '__main__':
    main()
