"""DCGAN and SNGAN in PyTorch, as a peer to compare with: networks and training step.

The recipes of `gan_vae.models.dcgan` and `.resnet` (unconditional, 32 pixels) from
PyTorch's own layers, NCHW. Modules have the names of ours in lower case, so that `port`
can carry weights over.
"""

import contextlib
import copy
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


def normal_(network):
    """N(0, 0.02) kernels, biases of 0: Radford et al. 2015."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class DCGenerator(nn.Module):
    """z [B, D] -> images [B, 3, 32, 32] in [-1, 1]."""

    grid = 'out'  # the side of dense_0 that is 4x4 places of channels

    def __init__(self, width: int, latent_dim: int):
        super().__init__()

        def up(i, o, bias=False):
            return nn.ConvTranspose2d(i, o, 4, 2, 1, bias=bias)

        self.dense_0 = nn.Linear(latent_dim, 64 * width, bias=False)
        self.batchnorm_0 = nn.BatchNorm2d(4 * width)
        self.convtranspose_0 = up(4 * width, 2 * width)
        self.batchnorm_1 = nn.BatchNorm2d(2 * width)
        self.convtranspose_1 = up(2 * width, width)
        self.batchnorm_2 = nn.BatchNorm2d(width)
        self.convtranspose_2 = up(width, 3, bias=True)
        normal_(self)

    def forward(self, z):
        x = self.dense_0(z).unflatten(1, (-1, 4, 4))
        x = self.convtranspose_0(functional.relu(self.batchnorm_0(x)))
        x = self.convtranspose_1(functional.relu(self.batchnorm_1(x)))
        return torch.tanh(self.convtranspose_2(functional.relu(self.batchnorm_2(x))))


class DCDiscriminator(nn.Module):
    """images [B, 3, 32, 32] -> logits [B]."""

    grid = 'in'

    def __init__(self, width: int):
        super().__init__()

        def down(i, o, bias=False):
            return nn.Conv2d(i, o, 4, 2, 1, bias=bias)

        self.conv_0 = down(3, width, bias=True)
        self.conv_1 = down(width, 2 * width)
        self.batchnorm_0 = nn.BatchNorm2d(2 * width)
        self.conv_2 = down(2 * width, 4 * width)
        self.batchnorm_1 = nn.BatchNorm2d(4 * width)
        self.dense_0 = nn.Linear(64 * width, 1)
        normal_(self)

    def forward(self, x):
        x = functional.leaky_relu(self.conv_0(x), 0.2)
        x = functional.leaky_relu(self.batchnorm_0(self.conv_1(x)), 0.2)
        x = functional.leaky_relu(self.batchnorm_1(self.conv_2(x)), 0.2)
        return self.dense_0(x.flatten(1))[:, 0]


def xavier(layer, gain: float = 1.0, spectral: bool = False):
    """Xavier uniform kernel, bias of 0; `spectral`: over its largest singular value."""
    nn.init.xavier_uniform_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return spectral_norm(layer, eps=1e-12) if spectral else layer


def three(i, o, **how):
    """The 3x3 convolution of a block."""
    return xavier(nn.Conv2d(i, o, 3, padding=1), math.sqrt(2), **how)


def double(x):
    return functional.interpolate(x, scale_factor=2, mode='nearest')


class UpBlock(nn.Module):
    def __init__(self, i: int, o: int):
        super().__init__()
        self.batchnorm_0 = nn.BatchNorm2d(i)
        self.upconv_0 = three(i, o)
        self.batchnorm_1 = nn.BatchNorm2d(o)
        self.conv_0 = three(o, o)
        self.conv_1 = xavier(nn.Conv2d(i, o, 1))

    def forward(self, x):
        h = self.upconv_0(double(functional.relu(self.batchnorm_0(x))))
        h = self.conv_0(functional.relu(self.batchnorm_1(h)))
        return h + double(self.conv_1(x))


class DownBlock(nn.Module):
    def __init__(self, i: int, o: int, pool: bool, first: bool):
        super().__init__()
        self.pool, self.first = pool, first
        self.conv_0 = three(i, o, spectral=True)
        self.last, self.shortcut = ('convpool_0', 'conv_1') if pool else ('conv_1', '')
        self.add_module(self.last, three(o, o, spectral=True))
        if pool:
            self.conv_1 = xavier(nn.Conv2d(i, o, 1), spectral=True)

    def forward(self, x):
        h = self.conv_0(x if self.first else functional.relu(x))
        h = self.get_submodule(self.last)(functional.relu(h))
        if not self.pool:
            return h + x
        return functional.avg_pool2d(h, 2) + self.conv_1(functional.avg_pool2d(x, 2))


class ResGenerator(nn.Module):
    """z [B, D] -> images [B, 3, 32, 32] in [-1, 1]."""

    grid = 'out'

    def __init__(self, width: int, latent_dim: int):
        super().__init__()
        channels = 4 * width
        self.dense_0 = xavier(nn.Linear(latent_dim, 16 * channels))
        self.upblock_0 = UpBlock(channels, channels)
        self.upblock_1 = UpBlock(channels, channels)
        self.upblock_2 = UpBlock(channels, channels)
        self.batchnorm_0 = nn.BatchNorm2d(channels)
        self.conv_0 = xavier(nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, z):
        x = self.dense_0(z).unflatten(1, (-1, 4, 4))
        x = self.upblock_2(self.upblock_1(self.upblock_0(x)))
        return torch.tanh(self.conv_0(functional.relu(self.batchnorm_0(x))))


class SNDiscriminator(nn.Module):
    """images [B, 3, 32, 32] -> logits [B]."""

    grid = ''

    def __init__(self, width: int):
        super().__init__()
        channels = 2 * width
        self.downblock_0 = DownBlock(3, channels, pool=True, first=True)
        self.downblock_1 = DownBlock(channels, channels, pool=True, first=False)
        self.downblock_2 = DownBlock(channels, channels, pool=False, first=False)
        self.downblock_3 = DownBlock(channels, channels, pool=False, first=False)
        self.dense_0 = xavier(nn.Linear(channels, 1), spectral=True)

    def forward(self, x):
        x = self.downblock_1(self.downblock_0(x))
        x = self.downblock_3(self.downblock_2(x))
        return self.dense_0(functional.relu(x).sum((2, 3)))[:, 0]


def _softplus_d(real, fake):
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def _hinge_d(real, fake):
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


LOSSES = {
    'non_saturating': (_softplus_d, lambda fake: functional.softplus(-fake).mean()),
    'hinge': (_hinge_d, lambda fake: -fake.mean()),
}
NETWORKS = {
    'dcgan': (DCGenerator, DCDiscriminator),
    'sngan': (ResGenerator, SNDiscriminator),
}


class Gan(NamedTuple):
    """What a training step changes."""

    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module  # of the generator's weights and batch statistics
    adam_g: Any
    adam_d: Any
    losses: tuple
    decay: float


def make(config, layout=torch.contiguous_format) -> Gan:
    """A new one, by the config of ours; the seed is torch's own."""
    generator, discriminator = NETWORKS[config.model.discriminator]
    g = generator(config.model.width, config.model.latent_dim).to(memory_format=layout)
    d = discriminator(config.model.width).to(memory_format=layout)
    of = config.optimizer
    settings = {'lr': of.learning_rate, 'betas': (of.b1, of.b2), 'eps': of.eps}
    return Gan(
        generator=g,
        discriminator=d,
        average=copy.deepcopy(g).requires_grad_(False),
        adam_g=torch.optim.Adam(g.parameters(), **settings),
        adam_d=torch.optim.Adam(d.parameters(), **settings),
        losses=LOSSES[config.method.loss],
        decay=config.method.ema_decay,
    )


@contextlib.contextmanager
def kept(network):
    """A network's statistics and vectors are afterwards what they were, as in ours:
    those of G move in its own update alone, and so do those of D."""
    before = [b.clone() for b in network.buffers()]
    yield
    with torch.no_grad():
        for buffer, value in zip(network.buffers(), before, strict=True):
            buffer.copy_(value)


def train_step(gan: Gan, real, latents, step: int):
    """One update of D, one of G; (loss of D, loss of G). latents: [2, B, D]."""
    g, d = gan.generator, gan.discriminator
    of_d, of_g = gan.losses
    with torch.no_grad(), kept(g):
        fake = g(latents[0])
    gan.adam_d.zero_grad()
    loss_d = of_d(d(real), d(fake))
    loss_d.backward()
    gan.adam_d.step()
    d.requires_grad_(False)
    gan.adam_g.zero_grad()
    with kept(d):
        loss_g = of_g(d(g(latents[1])))
        loss_g.backward()
    gan.adam_g.step()
    d.requires_grad_(True)
    share = 1 - min(gan.decay, (1 + step) / (10 + step))
    with torch.no_grad():
        torch._foreach_lerp_(_floats(gan.average), _floats(g), share)
    return loss_d.item(), loss_g.item()


def _floats(network) -> list:
    values = [*network.parameters(), *network.buffers()]
    return [v.detach() for v in values if v.is_floating_point()]


def samples(gan: Gan, count: int) -> np.ndarray:
    """Images of the averaged generator, NHWC in [-1, 1]."""
    gan.average.eval()
    with torch.inference_mode():
        z = torch.randn(count, gan.generator.dense_0.in_features)
        made = torch.cat([gan.average(part) for part in z.split(100)])
    return made.permute(0, 2, 3, 1).numpy()


def to_torch(images: np.ndarray, layout=torch.contiguous_format):
    """uint8 [B, H, W, C] -> [B, C, H, W] in [-1, 1]."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    return x.contiguous(memory_format=layout)


def port(network: nn.Module, leaves: dict[str, np.ndarray]):
    """Our parameters, statistics and vectors, {'UpBlock_0/Conv_0/kernel': array, ...},
    into `network`."""
    with torch.no_grad():
        for path, value in leaves.items():
            *where, leaf = path.split('/')
            layer = network.get_submodule('.'.join(where).lower())
            target, value = _ported(layer, leaf, value, network.grid)
            target.copy_(torch.tensor(np.array(value)))


def _ported(layer, leaf: str, value, grid: str):
    """(the tensor of `layer` that `leaf` is, `value` in its order)."""
    if isinstance(layer, nn.BatchNorm2d):
        names = {'scale': 'weight', 'mean': 'running_mean', 'var': 'running_var'}
        return getattr(layer, names.get(leaf, leaf)), value
    if isinstance(layer, nn.ConvTranspose2d) and leaf == 'kernel':
        return layer.weight, np.flip(value, (0, 1)).transpose(2, 3, 0, 1)
    if isinstance(layer, nn.Linear):
        if grid == 'out':  # [..., 4 4 C] -> [..., C 4 4]
            value = value.reshape(*value.shape[:-1], 4, 4, -1)
            value = np.moveaxis(value, -1, -3)
            value = value.reshape(*value.shape[:-3], -1)
        elif grid == 'in' and leaf == 'kernel':
            value = value.reshape(4, 4, -1, 1).transpose(2, 0, 1, 3).reshape(-1, 1)
    if leaf == 'bias':
        return layer.bias, value
    parts = getattr(layer, 'parametrizations', None)
    if leaf == 'kernel':
        weight = parts.weight.original if parts else layer.weight
        return weight, value.T if value.ndim == 2 else value.transpose(3, 2, 0, 1)
    vectors = parts.weight[0]
    if leaf == 'u':
        return vectors._u, value
    if isinstance(layer, nn.Conv2d):  # [kh kw I] -> [I kh kw]
        value = value.reshape(*layer.kernel_size, -1).transpose(2, 0, 1).ravel()
    return vectors._v, value
