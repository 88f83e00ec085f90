"""The network of gan_vae/models/transformer.py in PyTorch, for `benchmarks/steps.py`.

Own code from the equations there (RMSNorm, SwiGLU, learned positions, no biases), with
PyTorch's fused attention.
"""

import torch
from torch import nn
from torch.nn import functional as F


def _linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        hidden = -(-8 * width // 3 // 64) * 64
        self.norms = nn.ModuleList([nn.RMSNorm(width, 1e-5) for _ in range(2)])
        self.projected, self.joined = _linear(width, 3 * width), _linear(width, width)
        self.gate, self.inner = _linear(width, hidden), _linear(width, hidden)
        self.outer, self.drop = _linear(hidden, width), nn.Dropout(dropout)
        self.heads = heads

    def forward(self, x):
        size, steps, width = x.shape
        parts = self.projected(self.norms[0](x))
        parts = parts.view(size, steps, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        seen = seen.transpose(1, 2).reshape(size, steps, width)
        x = x + self.drop(self.joined(seen))
        h = self.norms[1](x)
        return x + self.drop(self.outer(F.silu(self.gate(h)) * self.inner(h)))


class Transformer(nn.Module):
    def __init__(self, symbols, length, model):
        super().__init__()
        self.symbols = symbols
        self.table = nn.Embedding(symbols + 1, model.width)
        self.places = nn.Embedding(length, model.width)
        blocks = [
            Block(model.width, model.heads, model.dropout) for _ in range(model.depth)
        ]
        self.blocks, self.norm = nn.ModuleList(blocks), nn.RMSNorm(model.width, 1e-5)
        self.head, self.drop = _linear(model.width, symbols), nn.Dropout(model.dropout)

    def forward(self, codes):
        """-log p of codes [B, T], nats a text, averaged."""
        begin = torch.full_like(codes[:, :1], self.symbols)
        before = torch.cat([begin, codes[:, :-1]], 1)
        x = self.table(before) + self.places(torch.arange(codes.shape[1]))
        x = self.drop(x)
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        nats = F.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction='sum')
        return nats / len(codes)


def step(config, batch, symbols):
    """A function that runs one update on `batch`, as jax_step's."""
    codes = torch.tensor(batch['sequence'])[..., 0].long() % symbols
    network = Transformer(symbols, codes.shape[1], config.model)
    wanted = config.optimizer
    adam = torch.optim.AdamW(
        network.parameters(),
        wanted.learning_rate,
        (wanted.b1, wanted.b2),
        weight_decay=wanted.weight_decay,
    )

    def run():
        adam.zero_grad()
        (network(codes) / codes.shape[1]).backward()
        nn.utils.clip_grad_norm_(network.parameters(), wanted.clip_norm)
        adam.step()

    return run
