"""How fast is a train step against PyTorch, and against the stock Flax layers?

pip install -e '.[bench]'
python experiments/speed.py [--rounds=8] [--cases=dcgan32_train,conv_vae_train]

One long-lived process a side; they take turns in blocks of steps, and each ratio is the
median over rounds of their paired times, so that a slow minute of the machine hurts all
alike. Run it on a machine that does nothing else.

  dcgan32_train    one D and one G update, DCGAN of width 64, batch 64
  conv_vae_train   one update, convolutional VAE of width 64, 64 latents, batch 128
  dcgan32_sample   64 images from the generator, as in evaluation
  sngan_train      one D and one G update, SNGAN of width 32, hinge, batch 64
  biggan_small_train   the same, BigGAN by class of width 24, with self-attention

`ours` and `stock_flax` are the project's own methods, the latter with flax's
convolutions in place of ours (not in the residual networks: flax has no layers for
them); `torch` is the same networks, losses and optimisers in PyTorch with its defaults,
`torch_channels_last` with that memory format. All use the same cores.
"""

import argparse
import contextlib
import datetime
import importlib.metadata as metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

RESIDUAL = ('sngan_train', 'biggan_small_train')
CASES = ('dcgan32_train', 'conv_vae_train', 'dcgan32_sample', *RESIDUAL)
SIDES = ('ours', 'stock_flax', 'torch', 'torch_channels_last')


def gflop(case: str) -> float:
    """Multiplications and additions of a step's products, counted once each, in 1e9."""
    if case in RESIDUAL:
        g, d, of_images = _residual_products(case)
        return (4 * g + 2 * (3 * d - of_images) + 2 * d) / 1e9
    layers = [2 * 64 * size**2 * 16 * i * o for size, i, o in _CONVOLUTIONS]
    forward, dense = sum(layers), 2 * 64 * 128 * 4096
    if case == 'dcgan32_sample':
        return (forward + dense) / 1e9
    if case == 'dcgan32_train':
        inner = forward - layers[0]  # no gradient for the pictures
        update_d = forward + dense + 2 * (2 * forward + inner)
        update_g = 3 * (forward + dense) - dense + 2 * forward
        return (update_d + update_g) / 1e9
    encoder = 2 * (3 * forward - layers[0])  # batch 128
    heads = 3 * 2 * 128 * (4096 * 128 + 64 * 4096)
    return (encoder + 2 * 3 * forward + heads) / 1e9


_CONVOLUTIONS = ((16, 3, 64), (8, 64, 128), (4, 128, 256))


def _residual_products(case):
    """Of a forward pass of G, of D, and of D's layers that take the pictures.

    A convolution counts as it is defined, over each place and 3x3 pixels; the shortcuts
    of 1x1 as they are done, where the image is smaller. Dense layers do not show.
    """
    big = case == 'biggan_small_train'
    g, d = (96, 48) if big else (128, 64)

    def attention(c):  # on 16x16 places: queries, keys, values, output; two products
        return 256 * (c * c // 8 * 2 + c * c) + 256 * 64 * (c // 8 + c // 2)

    up = [s**2 * 2 * 9 * g * g + (s // 2) ** 2 * g * g for s in (8, 16, 32)]
    of_images = 32**2 * 9 * 3 * d + 16**2 * 3 * d
    down = [32**2 * 9 * d * d, 16**2 * 2 * 9 * d * d + 8**2 * d * d, 8**2 * 36 * d * d]
    of_g, of_d = sum(up) + 32**2 * 9 * g * 3, sum(down) + of_images
    if big:
        of_g, of_d = of_g + attention(g), of_d + attention(d)
    return 128 * of_g, 128 * of_d, 128 * of_images  # 64 images, 2 operations


def jax_step(side: str, case: str):
    """A function that runs one step of the project's own code and waits for it."""
    from unittest import mock

    import jax
    import jax.numpy as jnp
    from flax import linen as nn

    from configs import biggan_cifar, default, sngan_cifar
    from gan_vae import methods
    from gan_vae.data.source import Spec
    from gan_vae.models import layers
    from gan_vae.training import process

    process.prepare()
    config = default.get_config()
    config.optimizer.b1 = 0.5
    if case == 'conv_vae_train':
        config.method.name, config.model.latent_dim = 'vae', 64
        config.optimizer.learning_rate, config.optimizer.b1 = 1e-3, 0.9
    if case in RESIDUAL:
        big = case == 'biggan_small_train'
        config = (biggan_cifar if big else sngan_cifar).get_config()
        config.model.width, config.method.critic_steps = 24 if big else 32, 1
    library = nn if side == 'stock_flax' else layers
    used = {name: getattr(library, name) for name in ('Conv', 'ConvTranspose')}
    with mock.patch.multiple(layers, **used):
        classes = tuple(map(str, range(10)))
        method = methods.make(config, Spec(32, 32, 3, classes))
        key = jax.random.key(0)
        state = jax.jit(method.init)(key)
        if case == 'dcgan32_sample':
            sample = jax.jit(method.sample, static_argnums=2)
            sample(state, key, 64)
            return lambda: jax.block_until_ready(sample(state, key, 64))
        size = 128 if case == 'conv_vae_train' else 64
        batch = {'image': jax.random.uniform(key, (size, 32, 32, 3), minval=-1)}
        batch['label'] = jnp.arange(size) % 10
        step = jax.jit(method.train_step, donate_argnums=0)
        box = list(step(state, batch))  # compiled while the layers are patched

    def run():
        box[:] = step(box[0], batch)
        jax.block_until_ready(box)

    return run


def torch_step(side: str, case: str):
    """The same step in PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional

    if case in RESIDUAL:
        return torch_residual_step(side, case)
    torch.set_num_threads(cores())
    channels_last = side == 'torch_channels_last'
    layout = torch.channels_last if channels_last else torch.contiguous_format
    width = 64

    def conv(i, o, bias=False):
        return nn.Conv2d(i, o, 4, 2, 1, bias=bias)

    def transposed(i, o, bias=False):
        return nn.ConvTranspose2d(i, o, 4, 2, 1, bias=bias)

    class ToPixels(nn.Module):
        def forward(self, x):
            return x.view(-1, 4 * width, 4, 4).contiguous(memory_format=layout)

    def relu():
        return nn.ReLU(inplace=True)

    def leaky():
        return nn.LeakyReLU(0.2, inplace=True)

    if case == 'conv_vae_train':

        def norm(channels):
            return [nn.GroupNorm(8, channels, eps=1e-6), relu()]

        encoder = nn.Sequential(
            *(conv(3, width, True), *norm(width)),
            *(conv(width, 2 * width, True), *norm(2 * width)),
            *(conv(2 * width, 4 * width, True), *norm(4 * width)),
            *(nn.Flatten(), nn.Linear(64 * width, 128)),
        ).to(memory_format=layout)
        decoder = nn.Sequential(
            *(nn.Linear(64, 64 * width), ToPixels(), *norm(4 * width)),
            *(transposed(4 * width, 2 * width, True), *norm(2 * width)),
            *(transposed(2 * width, width, True), *norm(width)),
            transposed(width, 3, True),
        ).to(memory_format=layout)
        log_scale = nn.Parameter(torch.zeros(()))
        parameters = [*encoder.parameters(), *decoder.parameters(), log_scale]
        adam = torch.optim.Adam(parameters, 1e-3)
        average = [p.detach().clone() for p in parameters]
        x = (torch.rand(128, 3, 32, 32) * 2 - 1).contiguous(memory_format=layout)

        def step():
            mean, log_variance = encoder(x).chunk(2, -1)
            z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
            error = (x - decoder(z)) * torch.exp(-log_scale)
            rest = log_scale + 0.919
            reconstruction = (0.5 * error * error + rest).sum((1, 2, 3))
            kl = 0.5 * (mean**2 + torch.expm1(log_variance) - log_variance).sum(-1)
            adam.zero_grad(set_to_none=True)
            (reconstruction + kl).mean().backward()
            adam.step()
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 0.001)

        return step

    g = nn.Sequential(
        *(nn.Linear(128, 64 * width, bias=False), ToPixels()),
        *(nn.BatchNorm2d(4 * width), relu(), transposed(4 * width, 2 * width)),
        *(nn.BatchNorm2d(2 * width), relu(), transposed(2 * width, width)),
        *(nn.BatchNorm2d(width), relu(), transposed(width, 3, True), nn.Tanh()),
    ).to(memory_format=layout)
    d = nn.Sequential(
        *(conv(3, width, True), leaky(), conv(width, 2 * width)),
        *(nn.BatchNorm2d(2 * width), leaky(), conv(2 * width, 4 * width)),
        *(nn.BatchNorm2d(4 * width), leaky(), nn.Flatten(), nn.Linear(64 * width, 1)),
    ).to(memory_format=layout)
    if case == 'dcgan32_sample':
        g.eval()

        def sample():
            with torch.inference_mode():
                g(torch.randn(64, 128))

        return sample
    adam_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
    adam_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
    weights = list(g.parameters())
    average = [p.detach().clone() for p in weights]
    real = (torch.rand(64, 3, 32, 32) * 2 - 1).contiguous(memory_format=layout)

    def step():
        with torch.no_grad():
            fake = g(torch.randn(64, 128))
        adam_d.zero_grad(set_to_none=True)
        loss = (
            functional.softplus(-d(real)).mean() + functional.softplus(d(fake)).mean()
        )
        loss.backward()
        adam_d.step()
        d.requires_grad_(False)
        adam_g.zero_grad(set_to_none=True)
        functional.softplus(-d(g(torch.randn(64, 128)))).mean().backward()
        adam_g.step()
        d.requires_grad_(True)
        torch._foreach_lerp_(average, [p.detach() for p in weights], 0.001)

    return step


def torch_residual_step(side: str, case: str):
    """A step of the residual GANs in PyTorch: `gan_vae.models.resnet` and `big`."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.nn.utils.parametrizations import spectral_norm

    torch.set_num_threads(cores())
    channels_last = side == 'torch_channels_last'
    layout = torch.channels_last if channels_last else torch.contiguous_format
    big = case == 'biggan_small_train'
    width, latent = (24, 80) if big else (32, 128)
    chunk = 20 if big else latent
    eps = 1e-6 if big else 1e-12

    def normalised(layer):
        return spectral_norm(layer, eps=eps)

    def conv(i, o, size=3, bias=True, spectral=True):
        layer = nn.Conv2d(i, o, size, padding=size // 2, bias=bias)
        return normalised(layer) if spectral else layer

    class Attention(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.query, self.key = conv(c, c // 8, 1, False), conv(c, c // 8, 1, False)
            self.value, self.out = conv(c, c // 2, 1, False), conv(c // 2, c, 1, False)
            self.gamma = nn.Parameter(torch.zeros(()))

        def forward(self, x):
            b, _, h, w = x.shape
            query = self.query(x).flatten(2)
            key = functional.max_pool2d(self.key(x), 2).flatten(2)
            value = functional.max_pool2d(self.value(x), 2).flatten(2)
            weights = torch.bmm(query.transpose(1, 2), key).softmax(-1)
            seen = torch.bmm(value, weights.transpose(1, 2)).view(b, -1, h, w)
            seen = seen.contiguous(memory_format=layout)
            return x + self.gamma * self.out(seen)

    class Norm(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.norm = nn.BatchNorm2d(c, eps=1e-4 if big else 1e-5, affine=not big)
            if big:
                self.gain = normalised(nn.Linear(148, c, bias=False))
                self.bias = normalised(nn.Linear(148, c, bias=False))

        def forward(self, x, condition):
            x = self.norm(x)
            if not big:
                return x
            gain, bias = 1 + self.gain(condition), self.bias(condition)
            return x * gain[:, :, None, None] + bias[:, :, None, None]

    class Up(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.norms = nn.ModuleList([Norm(c), Norm(c)])
            self.first, self.second = conv(c, c, 3, True, big), conv(c, c, 3, True, big)
            self.short = conv(c, c, 1, True, big)

        def forward(self, x, condition):
            h = functional.relu(self.norms[0](x, condition), inplace=True)
            h = self.first(functional.interpolate(h, scale_factor=2))
            h = functional.relu(self.norms[1](h, condition), inplace=True)
            return self.second(h) + functional.interpolate(
                self.short(x), scale_factor=2
            )

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = c = 4 * width
            self.bottom = nn.Linear(chunk, 16 * c)
            self.blocks = nn.ModuleList([Up(c), Up(c), Up(c)])
            self.norm = nn.BatchNorm2d(c, eps=1e-4 if big else 1e-5)
            self.image = conv(c, 3, 3, True, big)
            if big:
                self.bottom = normalised(self.bottom)
                self.attention = Attention(c)
                self.embedding = nn.Embedding(10, 128)

        def forward(self, z, label):
            first, *rest = z.split(chunk, 1) if big else (z, None, None, None)
            x = self.bottom(first).view(-1, self.c, 4, 4)
            x = x.contiguous(memory_format=layout)
            e = self.embedding(label) if big else None
            for i, (block, part) in enumerate(zip(self.blocks, rest, strict=True)):
                x = block(x, torch.cat([e, part], 1) if big else None)
                if big and i == 1:
                    x = self.attention(x)
            x = functional.relu(self.norm(x), inplace=True)
            return torch.tanh(self.image(x))

    class Down(nn.Module):
        def __init__(self, i, o, pool, first):
            super().__init__()
            self.pool, self.begins = pool, first
            self.first, self.second = conv(i, o), conv(o, o)
            self.short = conv(i, o, 1) if pool else None

        def forward(self, x):
            h = self.first(x if self.begins else functional.relu(x))
            h = self.second(functional.relu(h, inplace=True))
            if not self.pool:
                return h + x
            return functional.avg_pool2d(h, 2) + self.short(functional.avg_pool2d(x, 2))

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            c = 2 * width
            self.blocks = nn.Sequential(
                Down(3, c, True, True),
                *([Attention(c)] if big else []),
                *(Down(c, c, True, False), Down(c, c, False, False)),
                Down(c, c, False, False),
            )
            self.logit = normalised(nn.Linear(c, 1))
            if big:
                self.embedding = normalised(nn.Embedding(10, c))

        def forward(self, x, label):
            s = functional.relu(self.blocks(x), inplace=True).sum((2, 3))
            logit = self.logit(s)[:, 0]
            return logit + (self.embedding(label) * s).sum(1) if big else logit

    g = Generator().to(memory_format=layout)
    d = Discriminator().to(memory_format=layout)
    betas, adam_eps = ((0.5, 0.999), 1e-6) if big else ((0.0, 0.9), 1e-8)
    adam_g = torch.optim.Adam(g.parameters(), 2e-4, betas, adam_eps)
    adam_d = torch.optim.Adam(d.parameters(), 2e-4, betas, adam_eps)
    weights = list(g.parameters())
    average = [p.detach().clone() for p in weights]
    real = (torch.rand(64, 3, 32, 32) * 2 - 1).contiguous(memory_format=layout)
    label = torch.arange(64) % 10

    def step():
        with torch.no_grad():
            fake = g(torch.randn(64, latent), label)
        adam_d.zero_grad(set_to_none=True)
        on_real, on_fake = d(real, label), d(fake, label)
        loss = functional.relu(1 - on_real).mean() + functional.relu(1 + on_fake).mean()
        loss.backward()
        adam_d.step()
        d.requires_grad_(False)
        adam_g.zero_grad(set_to_none=True)
        (-d(g(torch.randn(64, latent), label), label).mean()).backward()
        adam_g.step()
        d.requires_grad_(True)
        if big:  # the other samples with its last weights
            torch._foreach_lerp_(average, [p.detach() for p in weights], 1e-4)

    step.parameters = [sum(p.numel() for p in n.parameters()) for n in (g, d)]
    return step


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


def work(side: str):
    """Reads 'case n' lines, answers each with the median seconds of n steps."""
    made = {}
    for line in sys.stdin:
        case, count = line.split()
        if case not in made:
            make = torch_step if side.startswith('torch') else jax_step
            made[case] = matmul(side) if case == 'matmul' else make(side, case)
            made[case]()
        made[case]()
        times = []
        for _ in range(int(count)):
            start = time.perf_counter()
            made[case]()
            times.append(time.perf_counter() - start)
        print(statistics.median(times), flush=True)


def cores() -> int:
    """That this process may use: all, or those that taskset leaves it."""
    return len(getattr(os, 'sched_getaffinity', lambda _: range(os.cpu_count()))(0))


def versions() -> dict[str, str]:
    """Of the packages that are compared, where they are installed."""
    found = {}
    for name in ('jax', 'flax', 'torch'):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--side', help=argparse.SUPPRESS)
    parser.add_argument('--rounds', type=int, default=8)
    parser.add_argument('--cases', default=','.join(CASES))
    flags = parser.parse_args()
    if flags.side:
        return work(flags.side)
    with workers(__file__, SIDES) as ask:
        for case in flags.cases.split(','):
            count = {'dcgan32_sample': 20, **dict.fromkeys(RESIDUAL, 1)}.get(case, 5)
            sides = [s for s in SIDES if s != 'stock_flax' or case not in RESIDUAL]
            for side in sides:
                ask(side, case, 1)
            times, rates = {side: [] for side in sides}, []
            for turn in range(flags.rounds):
                rates.append(
                    max(2 * 2.048**3 / ask(s, 'matmul', 4) for s in ('ours', 'torch'))
                )
                for side in sides if turn % 2 == 0 else sides[::-1]:
                    times[side].append(ask(side, case, count))
            report(case, times, statistics.median(rates), flags.rounds)


@contextlib.contextmanager
def workers(script: str, sides):
    """ask(side, case, count) -> seconds, of a process of `script` for each side."""
    running = {
        side: subprocess.Popen(
            [sys.executable, script, f'--side={side}'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for side in sides
    }

    def ask(side, case, count):
        running[side].stdin.write(f'{case} {count}\n')
        running[side].stdin.flush()
        return float(running[side].stdout.readline())

    try:
        yield ask
    finally:
        for worker in running.values():
            worker.stdin.close()
            worker.wait()


def report(case: str, times: dict, rate: float, rounds: int):
    """Prints a case's table and appends its rows to results/speed.jsonl."""
    print(f'{case}: {gflop(case):.1f} GFLOP; matmul {rate:.0f} GFLOP/s')
    for against in times:
        median = statistics.median(times[against])
        pairs = zip(times[against], times['ours'], strict=True)
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        share = gflop(case) / median / rate
        print(
            f'  {against:20} {1e3 * median:7.1f} ms  {gflop(case) / median:4.0f} '
            f'GFLOP/s  {share:4.0%} of matmul  ours is {ratio:.2f} times as fast'
        )
        row = {'case': case, 'against': against, 'unit': 'ms', 'ratio': round(ratio, 3)}
        row |= {'ours': 1e3 * statistics.median(times['ours']), 'peer': 1e3 * median}
        append('speed', row | {'share_of_matmul': round(share, 3), 'rounds': rounds})


def append(name: str, row: dict):
    """Adds a row, with date, hardware and versions, to results/<name>.jsonl."""
    row |= {
        'date': datetime.date.today().isoformat(),
        'hardware': f'{cores()} cores of {_processor()}',
        'versions': versions(),
    }
    with open(ROOT / 'experiments' / 'results' / f'{name}.jsonl', 'a') as file:
        file.write(json.dumps(row) + '\n')


def _processor() -> str:
    if platform.system() != 'Linux':
        return platform.processor()
    lines = Path('/proc/cpuinfo').read_text().splitlines()
    names = [line.split(':')[1].strip() for line in lines if line[:10] == 'model name']
    return names[0] if names else platform.machine()


if __name__ == '__main__':
    main()
