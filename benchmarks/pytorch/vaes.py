"""VAEs of this project in PyTorch, with its defaults, for benchmarks/steps.py.

`conv_vae` is gan_vae.models.conv_vae with a Gaussian of one learned scale; `Vdvae` is
gan_vae.models.vdvae with the discretised logistic mixture.
"""

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.pytorch.gans import places
from gan_vae.models.vdvae import BIAS_TO, decoder_blocks, encoder_blocks


def conv_vae(layout, compiled: bool = False):
    """A function that makes one update; compiled: with its loss by torch.compile."""
    width = 64

    def conv(i, o):
        return nn.Conv2d(i, o, 4, 2, 1)

    def transposed(i, o):
        return nn.ConvTranspose2d(i, o, 4, 2, 1)

    class ToPixels(nn.Module):
        def forward(self, x):
            return places(x, layout)

    def norm(channels):
        return [nn.GroupNorm(8, channels, eps=1e-6), nn.ReLU(inplace=True)]

    encoder = nn.Sequential(
        *(conv(3, width), *norm(width)),
        *(conv(width, 2 * width), *norm(2 * width)),
        *(conv(2 * width, 4 * width), *norm(4 * width)),
        *(nn.Flatten(), nn.Linear(64 * width, 128)),
    ).to(memory_format=layout)
    decoder = nn.Sequential(
        *(nn.Linear(64, 64 * width), ToPixels(), *norm(4 * width)),
        *(transposed(4 * width, 2 * width), *norm(2 * width)),
        *(transposed(2 * width, width), *norm(width)),
        transposed(width, 3),
    ).to(memory_format=layout)
    log_scale = nn.Parameter(torch.zeros(()))
    parameters = [*encoder.parameters(), *decoder.parameters(), log_scale]
    adam = torch.optim.Adam(parameters, 1e-3)
    average = [p.detach().clone() for p in parameters]
    x = (torch.rand(128, 3, 32, 32) * 2 - 1).contiguous(memory_format=layout)

    def loss():
        mean, log_variance = encoder(x).chunk(2, -1)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        error = (x - decoder(z)) * torch.exp(-log_scale)
        rest = log_scale + 0.919
        reconstruction = (0.5 * error * error + rest).sum((1, 2, 3))
        kl = 0.5 * (mean**2 + torch.expm1(log_variance) - log_variance).sum(-1)
        return (reconstruction + kl).mean()

    loss = torch.compile(loss) if compiled else loss

    def step():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
        torch._foreach_lerp_(average, [p.detach() for p in parameters], 0.001)

    return step


class Block(nn.Module):
    def __init__(self, inputs, middle, outputs, resolution):
        super().__init__()
        size = 3 if resolution > 2 else 1
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, kernel, padding=kernel // 2)
            for i, o, kernel in (
                (inputs, middle, 1),
                (middle, middle, size),
                (middle, middle, size),
                (middle, outputs, 1),
            )
        )

    def forward(self, x):
        for conv in self.convs:
            x = conv(F.gelu(x))
        return x


class Group(nn.Module):
    def __init__(self, resolution, source, width, middle, latents):
        super().__init__()
        self.posterior_block = Block(2 * width, middle, 2 * latents, resolution)
        self.prior_block = Block(width, middle, 2 * latents + width, resolution)
        self.z_proj = nn.Conv2d(latents, width, 1)
        self.block = Block(width, middle, width, resolution)
        self.resolution, self.source, self.latents = resolution, source, latents
        if source != resolution <= BIAS_TO:
            self.bias = nn.Parameter(torch.zeros(width, resolution, resolution))


class Vdvae(nn.Module):
    """config: of configs/vdvae_cifar.py. Images [B, 3, S, S] in [-1, 1]."""

    def __init__(self, config, size: int = 32):
        super().__init__()
        model, self.mixtures = config.model, config.method.mixtures
        width, middle = model.width, max(1, model.width // 4)
        self.down = encoder_blocks(model.encoder_blocks, size)
        layout = decoder_blocks(model.decoder_blocks, size)
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            Block(width, middle, width, res) for res, _ in self.down
        )
        self.groups = nn.ModuleList(
            Group(*where, width, middle, model.latent_dim) for where in layout
        )
        self.gain = nn.Parameter(torch.ones(width, 1, 1))
        self.shift = nn.Parameter(torch.zeros(width, 1, 1))
        self.last = nn.Conv2d(width, 10 * self.mixtures, 1)

    def elbo(self, x, noise=None):
        """[B], nats. noise: of each group, [B, latents, R, R]; by default drawn."""
        h = self.first(2 * x)
        seen = {h.shape[2]: h}
        for block, (_, pool) in zip(self.blocks, self.down, strict=True):
            h = h + block(h)
            h = F.avg_pool2d(h, pool) if pool > 1 else h
            seen[h.shape[2]] = h
        first = self.groups[0].bias
        y, kl = torch.zeros((len(x), *first.shape)), torch.zeros(len(x))
        for number, group in enumerate(self.groups):
            r, d = group.resolution, group.latents
            if 0 < group.source < r:
                y = F.interpolate(y, scale_factor=r // group.source)
            if group.source != r <= BIAS_TO:
                y = y + group.bias
            prior = group.prior_block(y)
            pm, ps, residual = prior[:, :d], prior[:, d : 2 * d], prior[:, 2 * d :]
            qm, qs = group.posterior_block(torch.cat([y, seen[r]], 1)).chunk(2, 1)
            n = torch.randn_like(qm) if noise is None else noise[number]
            z = qm + torch.exp(qs) * n
            ratio = qs - ps
            square = (qm - pm) ** 2 * torch.exp(-2 * ps)
            each = 0.5 * (square + torch.expm1(2 * ratio)) - ratio
            kl = kl + each.sum((1, 2, 3))
            y = y + residual + group.z_proj(z)
            y = y + group.block(y)
        return self.explained(self.last(y * self.gain + self.shift), x) - kl

    def explained(self, outputs, x):
        """log p(x | z) [B]: Salimans et al. 2017, arXiv:1701.05517."""
        b, _, s, _ = outputs.shape
        parts = outputs.reshape(b, 10, self.mixtures, s, s)
        logits, means, scales = parts[:, 0], parts[:, 1:4], parts[:, 4:7].clamp(min=-7)
        a = torch.tanh(parts[:, 7:])
        x = x[:, :, None]
        chained = torch.stack(
            [
                means[:, 0],
                means[:, 1] + a[:, 0] * x[:, 0],
                means[:, 2] + a[:, 1] * x[:, 0] + a[:, 2] * x[:, 1],
            ],
            1,
        )
        inverse = torch.exp(-scales)
        plus, minus = (inverse * (x - chained + h) for h in (1 / 255, -1 / 255))
        width = (plus - minus).clamp(min=1e-12)
        inside = F.logsigmoid(plus) + F.logsigmoid(-minus)
        inside = inside + torch.log(-torch.expm1(-width))
        outer = torch.where(x > 0.999, F.logsigmoid(-minus), inside)
        each = torch.where(x < -0.999, F.logsigmoid(plus), outer)
        joint = each.sum(1) + F.log_softmax(logits, 1)
        return torch.logsumexp(joint, 1).sum((1, 2))

    @torch.no_grad()
    def port(self, params):
        """Ours, `state.params['network']`, into this."""

        def conv(twin, leaf):
            twin.weight.copy_(torch.tensor(leaf['kernel']).permute(3, 2, 0, 1))
            twin.bias.copy_(torch.tensor(leaf['bias']))

        def block(twin, leaf):
            for number, one in enumerate(twin.convs):
                conv(one, leaf[f'Conv_{number}'])

        conv(self.first, params['encoder']['Conv_0'])
        for number, twin in enumerate(self.blocks):
            block(twin, params['encoder'][f'Block_{number}'])
        for number, group in enumerate(self.groups):
            leaf = params[f'groups_{number}']
            for name in ('posterior_block', 'prior_block', 'block'):
                block(getattr(group, name), leaf[name])
            conv(group.z_proj, leaf['z_proj'])
            if hasattr(group, 'bias'):
                group.bias.copy_(torch.tensor(leaf['bias']).permute(2, 0, 1))
        self.gain.copy_(torch.tensor(params['head']['gain'])[:, None, None])
        self.shift.copy_(torch.tensor(params['head']['bias'])[:, None, None])
        conv(self.last, params['head']['Conv_0'])


def vdvae(config, layout, compiled: bool = False):
    """A function that makes one update; compiled: with the elbo by torch.compile."""
    model, optimizer = Vdvae(config).to(memory_format=layout), config.optimizer
    for group in model.groups:
        nn.init.zeros_(group.prior_block.convs[3].weight)
    parameters = list(model.parameters())
    adam = torch.optim.AdamW(
        parameters,
        optimizer.learning_rate,
        (optimizer.b1, optimizer.b2),
        weight_decay=optimizer.weight_decay,
    )
    average = [p.detach().clone() for p in parameters]
    size = config.data.batch_size
    x = (torch.rand(size, 3, 32, 32) * 2 - 1).contiguous(memory_format=layout)

    elbo = torch.compile(model.elbo) if compiled else model.elbo

    def step():
        adam.zero_grad(set_to_none=True)
        (-elbo(x).mean()).backward()
        nn.utils.clip_grad_norm_(parameters, optimizer.clip_norm)
        adam.step()
        torch._foreach_lerp_(average, [p.detach() for p in parameters], 0.001)

    return step
