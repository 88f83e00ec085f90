"""DCGAN, SNGAN and BigGAN in PyTorch, as peers to compare with: networks and step.

The recipes of `gan_vae.models.dcgan`, `.resnet` (SNGAN, unconditional) and `.big` (by
ten classes) at 32 pixels, from PyTorch's own layers, NCHW. `gan_parity.py` trains the
first two and `benchmarks/steps.py` times all. Modules of the first two have the names
of ours in lower case, so that `port` can carry weights over. `layout` is a memory
format.
"""

import contextlib
import copy
import functools
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

relu_ = functools.partial(functional.relu, inplace=True)
leaky_ = functools.partial(functional.leaky_relu, negative_slope=0.2, inplace=True)


def places(x, layout, side: int = 4):
    """[B, C side^2] or [B, C, side^2] -> [B, C, side, side]."""
    return x.reshape(len(x), -1, side, side).contiguous(memory_format=layout)


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

    def __init__(self, width: int, latent_dim: int, layout):
        super().__init__()
        self.layout = layout

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

    def forward(self, z, label=None):
        x = places(self.dense_0(z), self.layout)
        x = self.convtranspose_0(relu_(self.batchnorm_0(x)))
        x = self.convtranspose_1(relu_(self.batchnorm_1(x)))
        return torch.tanh(self.convtranspose_2(relu_(self.batchnorm_2(x))))


class DCDiscriminator(nn.Module):
    """images [B, 3, 32, 32] -> logits [B]."""

    grid = 'in'

    def __init__(self, width: int, layout):
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

    def forward(self, x, label=None):
        x = leaky_(self.conv_0(x))
        x = leaky_(self.batchnorm_0(self.conv_1(x)))
        x = leaky_(self.batchnorm_1(self.conv_2(x)))
        return self.dense_0(x.flatten(1))[:, 0]


def initial(layer, init=nn.init.xavier_uniform_, gain: float = 1.0, eps: float = 0.0):
    """`init` kernel, bias of 0; with `eps` over its largest singular value."""
    init(layer.weight, gain)
    if getattr(layer, 'bias', None) is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer, eps=eps) if eps else layer


def orthogonal(weight, gain):
    """One scale everywhere, whatever the `gain`."""
    nn.init.orthogonal_(weight)


XAVIER, SPECTRAL = {}, {'eps': 1e-12}  # how layers of SNGAN's G and D are initialised
BIG = {'init': orthogonal, 'eps': 1e-6}  # and those of BigGAN's


def three(i, o, how):
    """The 3x3 convolution of a block."""
    return initial(nn.Conv2d(i, o, 3, padding=1), gain=math.sqrt(2), **how)


def one(i, o, how, bias=True):
    return initial(nn.Conv2d(i, o, 1, bias=bias), **how)


def double(x):
    return functional.interpolate(x, scale_factor=2, mode='nearest')


class Attention(nn.Module):
    def __init__(self, c: int, layout):
        super().__init__()
        self.layout = layout
        self.query, self.key = one(c, c // 8, BIG, False), one(c, c // 8, BIG, False)
        self.value, self.out = one(c, c // 2, BIG, False), one(c // 2, c, BIG, False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        query = self.query(x).flatten(2)
        key = functional.max_pool2d(self.key(x), 2).flatten(2)
        value = functional.max_pool2d(self.value(x), 2).flatten(2)
        weights = torch.bmm(query.transpose(1, 2), key).softmax(-1)
        seen = torch.bmm(value, weights.transpose(1, 2))
        return x + self.gamma * self.out(places(seen, self.layout, x.shape[-1]))


class BatchNorm(nn.BatchNorm2d):
    """SNGAN's, which sees no condition."""

    def forward(self, x, condition=None):
        return super().forward(x)


class VectorBatchNorm(nn.Module):
    """BigGAN's, of gain 1 + A c and bias B c."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=1e-4, affine=False)
        self.gain = initial(nn.Linear(148, channels, bias=False), **BIG)
        self.bias = initial(nn.Linear(148, channels, bias=False), **BIG)

    def forward(self, x, condition):
        gain, bias = 1 + self.gain(condition), self.bias(condition)
        return self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]


class UpBlock(nn.Module):
    def __init__(self, channels: int, how: dict, norm):
        super().__init__()
        self.batchnorm_0, self.batchnorm_1 = norm(channels), norm(channels)
        self.upconv_0 = three(channels, channels, how)
        self.conv_0 = three(channels, channels, how)
        self.conv_1 = one(channels, channels, how)

    def forward(self, x, condition=None):
        h = self.upconv_0(double(relu_(self.batchnorm_0(x, condition))))
        h = self.conv_0(relu_(self.batchnorm_1(h, condition)))
        return h + double(self.conv_1(x))


class DownBlock(nn.Module):
    def __init__(self, i: int, o: int, how: dict, pool: bool, first: bool = False):
        super().__init__()
        self.pool, self.first = pool, first
        self.conv_0 = three(i, o, how)
        self.last = 'convpool_0' if pool else 'conv_1'
        self.add_module(self.last, three(o, o, how))
        if pool:
            self.conv_1 = one(i, o, how)

    def forward(self, x):
        h = self.conv_0(x if self.first else functional.relu(x))
        h = self.get_submodule(self.last)(relu_(h))
        if not self.pool:
            return h + x
        return functional.avg_pool2d(h, 2) + self.conv_1(functional.avg_pool2d(x, 2))


class ResGenerator(nn.Module):
    """z [B, D] -> images [B, 3, 32, 32] in [-1, 1]: SNGAN's."""

    grid, how, norm, eps, chunks = 'out', XAVIER, BatchNorm, 1e-5, 1

    def __init__(self, width: int, latent_dim: int, layout):
        super().__init__()
        self.layout, channels = layout, 4 * width
        dense = nn.Linear(latent_dim // self.chunks, 16 * channels)
        self.dense_0 = initial(dense, **self.how)
        for i in range(3):
            block = UpBlock(channels, self.how, self.norm)
            self.add_module(f'upblock_{i}', block)
        self.batchnorm_0 = nn.BatchNorm2d(channels, eps=self.eps)
        self.conv_0 = initial(nn.Conv2d(channels, 3, 3, padding=1), **self.how)

    def forward(self, z, label=None):
        x = places(self.dense_0(z), self.layout)
        return self.image(self.upblock_2(self.upblock_1(self.upblock_0(x))))

    def image(self, x):
        return torch.tanh(self.conv_0(relu_(self.batchnorm_0(x))))


class BigGenerator(ResGenerator):
    """z [B, D], label [B] -> images [B, 3, 32, 32] in [-1, 1]: BigGAN's."""

    how, norm, eps, chunks = BIG, VectorBatchNorm, 1e-4, 4

    def __init__(self, width: int, latent_dim: int, layout):
        super().__init__(width, latent_dim, layout)
        self.attention = Attention(4 * width, layout)
        self.embedding = initial(nn.Embedding(10, 128), orthogonal)

    def forward(self, z, label):
        first, *rest = z.chunk(self.chunks, 1)
        e = self.embedding(label)
        conditions = [torch.cat([e, part], 1) for part in rest]
        x = places(self.dense_0(first), self.layout)
        x = self.upblock_1(self.upblock_0(x, conditions[0]), conditions[1])
        return self.image(self.upblock_2(self.attention(x), conditions[2]))


class SNDiscriminator(nn.Module):
    """images [B, 3, 32, 32] -> logits [B]: SNGAN's."""

    grid, how = '', SPECTRAL

    def __init__(self, width: int, layout):
        super().__init__()
        channels, how = 2 * width, self.how
        self.downblock_0 = DownBlock(3, channels, how, pool=True, first=True)
        self.attention = nn.Identity()
        self.downblock_1 = DownBlock(channels, channels, how, pool=True)
        self.downblock_2 = DownBlock(channels, channels, how, pool=False)
        self.downblock_3 = DownBlock(channels, channels, how, pool=False)
        self.dense_0 = initial(nn.Linear(channels, 1), **how)

    def features(self, x):
        x = self.downblock_1(self.attention(self.downblock_0(x)))
        return relu_(self.downblock_3(self.downblock_2(x))).sum((2, 3))

    def forward(self, x, label=None):
        return self.dense_0(self.features(x))[:, 0]


class BigDiscriminator(SNDiscriminator):
    """images [B, 3, 32, 32], label [B] -> logits [B]: BigGAN's."""

    how = BIG

    def __init__(self, width: int, layout):
        super().__init__(width, layout)
        self.attention = Attention(2 * width, layout)
        self.embedding = initial(nn.Embedding(10, 2 * width), **BIG)

    def forward(self, x, label):
        s = self.features(x)
        return self.dense_0(s)[:, 0] + (self.embedding(label) * s).sum(1)


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
    'biggan': (BigGenerator, BigDiscriminator),
}


class Gan(NamedTuple):
    """What a training step changes."""

    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module  # of the generator's weights and batch statistics
    adam_g: Any
    adam_d: Any
    losses: tuple
    decay: float  # 0: no average, the generator itself


def make(config, layout=torch.contiguous_format, compiled: bool = False) -> Gan:
    """A new one, by the config of ours; the seed is torch's own. compiled: its networks
    by torch.compile."""
    generator, discriminator = NETWORKS[config.model.discriminator]
    width, latent_dim = config.model.width, config.model.latent_dim
    g = generator(width, latent_dim, layout).to(memory_format=layout)
    d = discriminator(width, layout).to(memory_format=layout)
    of, decay = config.optimizer, config.method.ema_decay
    average = copy.deepcopy(g).requires_grad_(False) if decay else g
    if compiled:
        g.compile()
        d.compile()
    settings = {'lr': of.learning_rate, 'betas': (of.b1, of.b2), 'eps': of.eps}
    return Gan(
        generator=g,
        discriminator=d,
        average=average,
        adam_g=torch.optim.Adam(g.parameters(), **settings),
        adam_d=torch.optim.Adam(d.parameters(), **settings),
        losses=LOSSES[config.method.loss],
        decay=decay,
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


def train_step(gan: Gan, real, latents, step: int, label=None):
    """One update of D, one of G; (loss of D, loss of G). latents: [2, B, D]."""
    g, d = gan.generator, gan.discriminator
    of_d, of_g = gan.losses
    with torch.no_grad(), kept(g):
        fake = g(latents[0], label)
    gan.adam_d.zero_grad()
    loss_d = of_d(d(real, label), d(fake, label))
    loss_d.backward()
    gan.adam_d.step()
    d.requires_grad_(False)
    gan.adam_g.zero_grad()
    with kept(d):
        loss_g = of_g(d(g(latents[1], label), label))
        loss_g.backward()
    gan.adam_g.step()
    d.requires_grad_(True)
    if gan.decay:
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
        generated = torch.cat([gan.average(part) for part in z.split(100)])
    return generated.permute(0, 2, 3, 1).numpy()


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
