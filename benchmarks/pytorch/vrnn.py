"""The VRNN of gan_vae/models/recurrent.py in PyTorch, for `benchmarks/steps.py`.

Own code from the equations of Chung et al. 2015, arXiv:1506.02216, and Fraccaro et al.
2016.

Features of x and what is emitted are computed for all steps at once, as in ours; what
depends on the step before goes through nn.LSTMCell.
"""

import torch
from torch import nn
from torch.nn import functional as F


class VRNN(nn.Module):
    def __init__(self, keys, hidden, width, latent):
        super().__init__()
        self.of_x, self.of_z = nn.Linear(keys, width), nn.Linear(latent, width)
        self.cell = nn.LSTMCell(2 * width, hidden)
        self.prior = _head(hidden, width, 2 * latent)
        self.posterior = _head(hidden + width, width, 2 * latent)
        self.emission = _head(hidden + width, width, keys)
        self.hidden, self.latent = hidden, latent

    def forward(self, x, mean, mask):
        """The negative ELBO of x [B, T, keys], nats a sequence, averaged."""
        size, steps, _ = x.shape
        seen = F.relu(self.of_x(x - mean))
        first = F.relu(self.of_x(torch.zeros_like(x[:, :1])))
        before = torch.cat([first, seen[:, :-1]], 1)
        h = c = torch.zeros(size, self.hidden)
        code = F.relu(self.of_z(torch.zeros(size, self.latent)))
        states, kl = [], 0.0
        for t in range(steps):
            h, c = self.cell(torch.cat([before[:, t], code], -1), (h, c))
            p, p_log = self.prior(h).chunk(2, -1)
            q, q_log = self.posterior(torch.cat([h, seen[:, t]], -1)).chunk(2, -1)
            q = p + q
            z = q + torch.exp(0.5 * q_log) * torch.randn_like(q)
            code = F.relu(self.of_z(z))
            each = p_log - q_log + torch.exp(q_log - p_log) - 1
            each = each + (q - p).square() * torch.exp(-p_log)
            kl = kl + 0.5 * each.sum(-1) * mask[:, t]
            states.append(torch.cat([h, code], -1))
        logits = self.emission(torch.stack(states, 1))
        nats = F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum(-1)
        return (kl + (nats * mask).sum(-1)).mean()


def step(config, batch, mean):
    """A function that runs one update on `batch`, as jax_step's."""
    x = torch.tensor(batch['sequence']).float()
    mask = torch.arange(x.shape[1]) < torch.tensor(batch['length'])[:, None]
    model = config.model
    network = VRNN(x.shape[-1], model.hidden, model.width, model.latent_dim)
    adam = torch.optim.Adam(network.parameters(), config.optimizer.learning_rate)
    mean, mask = torch.tensor(mean), mask.float()

    def run():
        adam.zero_grad()
        network(x, mean, mask).backward()
        adam.step()

    return run


def _head(inputs, width, outputs):
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))
