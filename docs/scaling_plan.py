"""What would 8, 64 and 512 accelerators do? A plan on paper, from counted work.

python -m docs.scaling_plan

With n accelerators, per-device batch b, u updates a step, F operations an example and
update, and P bytes of gradients an update:

    t(n)    = u max(b F / (peak utilisation), floor) + sum over updates of r(n, P)
    r(n, P) = 2 (n - 1)/n P / bandwidth(n) + 2 log2(n) latency        (ring, no overlap)
    input   = n b u image / t           checkpoint = state / disk,  stall = state / copy
    cost    = n t steps price

F and P of the DCGAN and the VAE are read off our compiled train steps (the plain
convolutions that an accelerator runs); those of BigGAN and VDVAE are counted from their
published layers. No figure below was measured on an
accelerator. Thakur et al. 2005, doi:10.1177/1094342005051521 (collectives).
"""

import math
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Machine(NamedTuple):
    """Assumptions, of an accelerator of the H100 class and its cluster."""

    peak: float = 495e12  # FLOP/s, TF32 with dense products (data sheet)
    utilisation: float = 0.15  # of small convolutions; MLPerf-like nets reach 0.4
    floor: float = 1.5e-3  # s an update: some 300 kernels of 5 us each
    inside: float = 300e9  # bytes/s of a ring inside a node of 8
    between: float = 40e9  # bytes/s of a ring between nodes
    latency: float = 15e-6  # s a hop of a collective
    copy: float = 20e9  # bytes/s from device to host
    disk: float = 1e9  # bytes/s to the shared disk
    price: float = 2.5  # dollars an accelerator and hour


class Work(NamedTuple):
    """One model's training, as published."""

    name: str
    flops: float  # of forward and backward, an example and update
    gradients: float  # bytes that an update averages
    state: float  # bytes of a checkpoint
    updates: int  # of all networks in a step
    batch: int  # published, global
    steps: int
    image: int = 3072  # bytes
    small: int = 0  # collectives of batch statistics an update


def step_seconds(work: Work, machine: Machine, n: int, batch: float) -> float:
    """t(n) for `batch` examples a device."""
    bandwidth = machine.inside if n <= 8 else machine.between
    ring = 2 * (n - 1) / n * work.gradients / bandwidth
    hops = 2 * math.log2(n) * machine.latency * (1 + work.small)
    compute = batch * work.flops / (machine.peak * machine.utilisation)
    return work.updates * (max(compute, machine.floor) + ring + hops)


def compiled(name: str, updates: int, small: int) -> Work:
    """The Work of one of our configs, from its compiled train step."""
    import jax

    from gan_vae import config as config_lib
    from gan_vae.data.source import Spec
    from gan_vae.learning.state import named_leaves
    from gan_vae.models import convolutions
    from gan_vae.runs.program import build

    config = config_lib.load(str(ROOT / 'configs' / f'{name}.py'))
    program = build(config, Spec(32, 32, 3))
    state = jax.jit(program.method.init)(jax.random.key(0))
    rows = config.data.batch_size * program.method.batches_per_step
    batch = {
        'image': jax.ShapeDtypeStruct((rows, 32, 32, 3), 'uint8'),
        'index': jax.ShapeDtypeStruct((rows,), 'int32'),
    }
    quick = {'xla_backend_optimization_level': 0}
    with convolutions.plain():
        cost = program.train_step.lower(state, batch).compile(quick).cost_analysis()
    leaves = named_leaves(state)
    size = sum(leaf.nbytes for leaf in leaves.values())
    params = sum(v.nbytes for k, v in leaves.items() if k.startswith('params/'))
    examples = config.data.batch_size * updates
    return Work(
        name,
        cost['flops'] / examples,
        params / (2 if updates > 1 else 1),
        size,
        updates,
        config.data.batch_size,
        config.train.steps,
        small=small,
    )


def conv(side: int, inputs: int, outputs: int, kernel: int = 3) -> float:
    """Operations of a convolution's forward pass on one picture."""
    return 2 * side**2 * inputs * outputs * kernel**2


def biggan(n_critic: int = 5) -> Work:
    """BigGAN for CIFAR-10 (Brock et al. 2018, arXiv:1809.11096; G 384, D 192 wide)."""
    blocks = [conv(s, 384, 384) * 2 + conv(s, 384, 384, 1) for s in (8, 16, 32)]
    generator = sum(blocks) + conv(32, 384, 3)
    down = conv(32, 3, 192) + conv(32, 192, 192) + 2 * conv(16, 192, 192)
    discriminator = down + 4 * conv(8, 192, 192)
    # D: forward of G, and 3 times (forward, two gradients) D on real and fake;
    # G: 3 times both. The mean of the n_critic + 1 updates:
    of_d, of_g = generator + 6 * discriminator, 3 * (generator + discriminator)
    parameters = (9_416_196, 2_415_170)
    gradients = 4 * (n_critic * parameters[1] + parameters[0]) / (n_critic + 1)
    state = 4 * (3 * sum(parameters) + parameters[0])  # Adam's two moments, one EMA
    flops = (n_critic * of_d + of_g) / (n_critic + 1)
    return Work(
        'biggan_cifar', flops, gradients, state, n_critic + 1, 64, 100_000, small=8
    )


def vdvae() -> Work:
    """VDVAE for CIFAR-10 (Child 2020, arXiv:2011.10650): 45 layers, width 384."""
    width, middle = 384, 96
    blocks = {32: 21, 16: 10, 8: 5, 4: 2, 1: 1}  # of the decoder
    encoder = {32: 11, 16: 6, 8: 6, 4: 3, 1: 3}

    def block(side, inputs=width):
        kernel = 3 if side > 2 else 1
        inner = 2 * conv(side, middle, middle, kernel)
        return inner + conv(side, inputs, middle, 1) + conv(side, middle, width + 32, 1)

    forward = sum(
        count * (block(s, 2 * width) + 2 * block(s)) for s, count in blocks.items()
    )
    forward += sum(count * block(s) for s, count in encoder.items())
    parameters = 39e6
    return Work(
        'vdvae_cifar', 3 * forward, 4 * parameters, 16 * parameters, 1, 32, 1_000_000
    )


def main():
    machine = Machine()
    works = [
        compiled('dcgan_cifar', 2, 7),
        compiled('vae_cifar', 1, 0),
        biggan(),
        vdvae(),
    ]
    print('| model | operations an example | gradients | state | steps | batch |')
    print('| --- | --- | --- | --- | --- | --- |')
    for w in works:
        print(
            f'| {w.name} | {w.flops / 1e9:.2f} G x {w.updates} | '
            f'{w.gradients / 1e6:.1f} MB | {w.state / 1e6:.0f} MB | {w.steps:,} | '
            f'{w.batch} |'
        )
    print()
    print(
        '| model | n | batch a device | step | of it collectives | examples/s | '
        'efficiency | input | stall, write of a checkpoint | the published examples |'
    )
    print('| ' + ' | '.join(['---'] * 10) + ' |')
    for w in works:
        alone = None
        for n in (1, 8, 64, 512):
            batch = w.batch
            t = step_seconds(w, machine, n, batch)
            bare = step_seconds(w._replace(gradients=0, small=-1), machine, n, batch)
            rate = n * batch / t
            alone = alone or rate
            feed = rate * w.image * (w.updates - 1 or 1) / 1e6
            hours = w.steps * w.batch / rate / 3600
            print(
                f'| {w.name} | {n} | {batch} | {1e3 * t:.2f} ms | '
                f'{100 * (t - bare) / t:.0f} % | {rate:,.0f} | '
                f'{100 * rate / alone / n:.0f} % | {feed:,.0f} MB/s | '
                f'{1e3 * w.state / machine.copy:.0f} ms, '
                f'{w.state / machine.disk:.2f} s | {hours:.2g} h, '
                f'{hours * n * machine.price:.2f} $ |'
            )


if __name__ == '__main__':
    main()
