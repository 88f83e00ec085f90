"""How fast is a train step against PyTorch, and against the stock Flax layers?

pip install -e '.[bench]'
python -m benchmarks.steps [--rounds=8] [--cases=dcgan32_train,conv_vae_train]
                           [--sides=ours,torch] [--cpu_time]

One long-lived process a side; they take turns in blocks of steps, and each ratio is the
median over rounds of their paired times, so that a slow minute of the machine hurts all
alike. Run it on a machine that does nothing else, or with --cpu_time: CPU seconds of
one thread on one core, which other work on the machine hurts little (two threads that
wait for each other it does).

  dcgan32_train    one D and one G update, DCGAN of width 64, batch 64
  conv_vae_train   one update, convolutional VAE of width 64, 64 latents, batch 128
  vdvae_small_train  the same, configs/vdvae_cifar.py:small, batch 32
  dcgan32_sample   64 images from the generator, as in evaluation
  sngan_train      one D and one G update, SNGAN of width 32, hinge, batch 64
  biggan_small_train   the same, BigGAN by class of width 24, with self-attention
  vrnn_train       one update of configs/vrnn_jsb.py, 16 sequences of up to 96 steps
  poems_train      one update of configs/poems.py, 64 texts of 64 of 5,688 symbols
  dcgan_parity, sngan_parity   a step of the GANs of benchmarks/pytorch/gan_parity.py

`ours` and `stock_flax` are the project's own methods, the latter with flax's
convolutions in place of ours (not in the residual networks: flax has no layers for
them; nor in the VDVAE, which is of flax's); `torch` is the same networks, losses and
optimisers in PyTorch with its defaults (`benchmarks/pytorch`),
`torch_channels_last` with that memory format, and `torch_compiled` with it and with
torch.compile of the networks (of the VAEs' loss). All use the same cores. GFLOP:
multiplications and additions of PyTorch's products, counted once each.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time

from benchmarks.rows import ROOT, append, cores

RESIDUAL = ('sngan_train', 'biggan_small_train', 'sngan_parity')
SEQUENCES = ('vrnn_train', 'poems_train')
ALONE = (*RESIDUAL, 'vdvae_small_train', *SEQUENCES)  # without stock_flax
CASES = {  # steps in a block
    'dcgan32_train': 5,
    'conv_vae_train': 5,
    'vdvae_small_train': 2,
    'dcgan32_sample': 20,
    'sngan_train': 1,
    'biggan_small_train': 1,
    'vrnn_train': 5,
    'poems_train': 2,
    'dcgan_parity': 20,
    'sngan_parity': 4,
}
SIDES = ('ours', 'stock_flax', 'torch', 'torch_channels_last', 'torch_compiled')


def config_of(case: str):
    """The config of all sides of a case."""
    from configs import (
        biggan_cifar,
        default,
        poems,
        sngan_cifar,
        vdvae_cifar,
        vrnn_jsb,
    )

    if case == 'vdvae_small_train':
        return vdvae_cifar.get_config('small')
    if case == 'vrnn_train':
        return vrnn_jsb.get_config()
    if case == 'poems_train':
        return poems.get_config()
    if case.endswith('_parity'):
        from benchmarks.pytorch import gan_parity

        return gan_parity.load(case.removesuffix('_parity'))
    if case in RESIDUAL:
        big = case == 'biggan_small_train'
        config = (biggan_cifar if big else sngan_cifar).get_config()
        config.model.width, config.method.critic_steps = 24 if big else 32, 1
        return config
    if case == 'conv_vae_train':
        config = default.get_config('vae')
        config.model.latent_dim, config.data.batch_size = 64, 128
        config.optimizer.learning_rate, config.optimizer.b1 = 1e-3, 0.9
        return config
    config = default.get_config('gan')
    config.optimizer.b1 = 0.5
    return config


def sequences(case: str):
    """A batch, 16 rolls of 65 to 96 steps or 64 texts, and what is known of its set."""
    import numpy as np

    from gan_vae.data.sequences import Sequences, SequenceSpec
    from gan_vae.data.texts import Text

    rng = np.random.default_rng(0)
    if case == 'poems_train':
        known = range(0x4E00, 0x4E00 + 5686)  # beside the end and the unknown one
        values = rng.integers(known.start, known.stop, (64, 64, 1), np.int32)
        text = Text('characters', tuple(map(chr, known)), 64, ())
        spec = SequenceSpec('text', 1, (0.0,), (1.0,), text)
        return Sequences('text', tuple(values)).gather(np.arange(64)), spec
    rolls = [rng.random((n, 88)) < 0.044 for n in range(65, 97, 2)]
    rolls_of = Sequences('rolls', tuple(roll.astype(np.uint8) for roll in rolls))
    return rolls_of.gather(np.arange(16)), rolls_of.spec


def jax_step(side: str, case: str):
    """A function that runs one step of the project's own code and waits for it."""
    from unittest import mock

    import jax
    import jax.numpy as jnp
    from flax import linen as nn

    from gan_vae import methods
    from gan_vae.data.source import Spec
    from gan_vae.devices import process
    from gan_vae.models import layers

    process.prepare()
    config = config_of(case)

    def compiled(method, state):
        options = None  # stock Flax has XLA's own
        if side == 'ours':
            options = process.of_steps(len(jax.tree.leaves(state)))
        return jax.jit(method.train_step, donate_argnums=0, compiler_options=options)

    if case in SEQUENCES:
        batch, spec = sequences(case)
        method = methods.make(config, spec)
        state = [jax.jit(method.init)(jax.random.key(0))]
        step = compiled(method, state)

        def update():
            state[0] = jax.block_until_ready(step(state[0], batch)[0])

        return update
    library = nn if side == 'stock_flax' else layers
    used = {name: getattr(library, name) for name in ('Conv', 'ConvTranspose')}
    with mock.patch.multiple(layers, **used):
        classes = tuple(map(str, range(10)))
        method = methods.make(config, Spec(32, 32, 3, classes))
        key = jax.random.key(0)
        state = jax.jit(method.init)(key)
        if case == 'dcgan32_sample':
            generate = jax.jit(method.generate, static_argnums=2)
            weights = state.weights()
            generate(weights, key, 64)
            return lambda: jax.block_until_ready(generate(weights, key, 64))
        size = config.data.batch_size
        batch = {'image': jax.random.uniform(key, (size, 32, 32, 3), minval=-1)}
        batch['label'] = jnp.arange(size) % 10
        step = compiled(method, state)
        box = list(step(state, batch))  # compiled while the layers are patched

    def run():
        box[:] = step(box[0], batch)
        jax.block_until_ready(box)

    return run


def torch_step(side: str, case: str):
    """The same step in PyTorch."""
    import torch

    from benchmarks.pytorch import gans, transformer, vaes, vrnn

    torch.set_num_threads(cores())
    layout = torch.contiguous_format if side == 'torch' else torch.channels_last
    compiled = side == 'torch_compiled'
    config = config_of(case)
    if case in SEQUENCES:
        batch, spec = sequences(case)
        if case == 'poems_train':
            return transformer.step(config, batch, len(spec.text.words) + 2)
        return vrnn.step(config, batch, spec.mean)
    if case == 'conv_vae_train':
        return vaes.conv_vae(layout, compiled)
    if case == 'vdvae_small_train':
        return vaes.vdvae(config, layout, compiled)
    gan = gans.make(config, layout, compiled)
    latents = 2, config.data.batch_size, config.model.latent_dim
    if case == 'dcgan32_sample':
        gan.generator.eval()

        def sample():
            with torch.inference_mode():
                gan.generator(torch.randn(latents[1:]))

        return sample
    size = config.data.batch_size
    real = (torch.rand(size, 3, 32, 32) * 2 - 1).contiguous(memory_format=layout)
    label = torch.arange(size) % 10
    return lambda: gans.train_step(gan, real, torch.randn(latents), 0, label)


def matmul(side: str):
    """A product of two 2048x2048 matrices: 17.2 GFLOP."""
    if side.startswith('torch'):
        import torch

        a = torch.randn(2048, 2048)
        return lambda: a @ a
    import jax

    a = jax.random.normal(jax.random.key(0), (2048, 2048))
    product = jax.jit(lambda a: a @ a)
    return lambda: jax.block_until_ready(product(a))


def copy(side: str):
    """128 MB read and as many written: the copy of STREAM."""
    if side.startswith('torch'):
        import torch

        a = torch.randn(2**25)
        return lambda: a.clone()
    import jax

    a = jax.random.normal(jax.random.key(0), (2**25,))
    twice = jax.jit(lambda a: 2 * a)
    return lambda: jax.block_until_ready(twice(a))


PROBES = {'matmul': matmul, 'copy': copy}  # of the machine, in each round


def work(side: str, cpu_time: bool):
    """Reads 'case n' lines, answers each with the median seconds of n steps; with the
    GFLOP of one step where n is 0 (of PyTorch's)."""
    steps, clock = {}, time.process_time if cpu_time else time.perf_counter
    if cpu_time:  # XLA and PyTorch have a thread for each core they may use
        core = sorted(os.sched_getaffinity(0))[SIDES.index(side) % cores()]
        os.sched_setaffinity(0, {core})
    for line in sys.stdin:
        case, count = line.split()
        if case not in steps:
            make = torch_step if side.startswith('torch') else jax_step
            steps[case] = PROBES[case](side) if case in PROBES else make(side, case)
            steps[case]()
        steps[case]()
        times = []
        for _ in range(int(count)):
            start = clock()
            steps[case]()
            times.append(clock() - start)
        print(statistics.median(times) if times else gflop(steps[case]), flush=True)


def gflop(step) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--side', help=argparse.SUPPRESS)
    parser.add_argument('--rounds', type=int, default=8)
    parser.add_argument('--cases', default=','.join(CASES))
    parser.add_argument('--sides', default=','.join(SIDES))
    parser.add_argument('--cpu_time', action='store_true')
    flags = parser.parse_args()
    if flags.side:
        return work(flags.side, flags.cpu_time)
    clock = 'CPU time of one thread' if flags.cpu_time else 'wall clock'
    with workers(flags.cpu_time) as ask:
        for case in flags.cases.split(','):
            sides = flags.sides.split(',')
            sides = [s for s in sides if s != 'stock_flax' or case not in ALONE]
            sides = [
                s for s in sides if s in ('ours', 'torch') or case not in SEQUENCES
            ]
            for side in sides:
                ask(side, case, 1)
            times, rates, streams = {side: [] for side in sides}, [], []
            for turn in range(flags.rounds):
                probes = {
                    probe: min(ask(s, probe, 4) for s in ('ours', 'torch'))
                    for probe in PROBES
                }
                rates.append(2 * 2.048**3 / probes['matmul'])
                streams.append(2**28 / 1e9 / probes['copy'])
                for side in sides if turn % 2 == 0 else sides[::-1]:
                    times[side].append(ask(side, case, CASES[case]))
            stream = round(statistics.median(streams), 2)
            about = {'rounds': flags.rounds, 'clock': clock, 'copy_gb_s': stream}
            report(case, ask('torch', case, 0), times, statistics.median(rates), about)


@contextlib.contextmanager
def workers(cpu_time: bool):
    """ask(side, case, count) -> seconds, of a process for each side.

    A side stands still while another is asked: threads that wait for work take cores.
    """
    running = {
        side: subprocess.Popen(
            [sys.executable, '-m', 'benchmarks.steps', f'--side={side}']
            + ['--cpu_time'] * cpu_time,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {'TORCHINDUCTOR_COMPILE_THREADS': '1'},
        )
        for side in SIDES
    }

    def ask(side, case, count):
        worker = running[side]
        os.killpg(worker.pid, signal.SIGCONT)
        worker.stdin.write(f'{case} {count}\n')
        worker.stdin.flush()
        seconds = float(worker.stdout.readline())
        os.killpg(worker.pid, signal.SIGSTOP)
        return seconds

    try:
        yield ask
    finally:
        for worker in running.values():
            os.killpg(worker.pid, signal.SIGCONT)
            worker.stdin.close()
            worker.wait()


def report(case: str, gflop: float, times: dict, rate: float, about: dict):
    """Prints a case's table and appends its rows to results/steps.jsonl."""
    print(
        f'{case}: {gflop:.1f} GFLOP; matmul {rate:.0f} GFLOP/s, '
        f'copy {about["copy_gb_s"]:.1f} GB/s'
    )
    for against in times:
        median = statistics.median(times[against])
        pairs = zip(times[against], times['ours'], strict=True)
        ratios = sorted(theirs / ours for theirs, ours in pairs)
        ratio = statistics.median(ratios)
        share = gflop / median / rate
        print(
            f'  {against:20} {1e3 * median:7.1f} ms  {gflop / median:4.0f} '
            f'GFLOP/s  {share:4.0%} of matmul  ours is {ratio:.2f} times as fast'
        )
        row = {'case': case, 'against': against, 'unit': 'ms', 'ratio': round(ratio, 3)}
        row |= {'ours': 1e3 * statistics.median(times['ours']), 'peer': 1e3 * median}
        row['ratios'] = [round(x, 3) for x in ratios]
        append('steps', row | {'share_of_matmul': round(share, 3), **about})


if __name__ == '__main__':
    main()
