"""An invertible map of latents, by affine couplings: what a prior is fitted with.

    e = f(z, y),    log p(z | y) = log N(f(z, y); 0, I) + log |det df/dz|

Each coupling permutes z = [a, b] by a fixed order and takes b to b exp(s) + t, with s
and t by two dense layers of a and the class, |s| < 2. RealNVP: Dinh et al. 2017,
arXiv:1605.08803. The last layers start at 0, so that the map starts as a permutation.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

COUPLINGS, UNITS, REACH = 8, 256, 2.0


class CouplingFlow(nn.Module):
    """z [B, size], label int [B] or None -> (e [B, size], log |det df/dz| [B])."""

    size: int
    classes: int = 0

    def setup(self):
        shape = self.size // 2, self.size - self.size // 2
        self.couplings = [_Coupling(*shape) for _ in range(COUPLINGS)]
        draw = np.random.default_rng(0)
        self.orders = [draw.permutation(self.size) for _ in range(COUPLINGS)]

    def _code(self, z, label):
        return jax.nn.one_hot(label, self.classes) if self.classes else z[:, :0]

    def __call__(self, z, label=None):
        y, total = self._code(z, label), jnp.zeros(len(z))
        for coupling, order in zip(self.couplings, self.orders, strict=True):
            z, log_scales = coupling(z[:, order], y, False)
            total += log_scales
        return z, total

    def inverse(self, e, label=None):
        """z [B, size] of e [B, size]."""
        y = self._code(e, label)
        steps = [*zip(self.couplings, self.orders, strict=True)]
        for coupling, order in reversed(steps):
            e = coupling(e, y, True)[0][:, np.argsort(order)]
        return e


class _Coupling(nn.Module):
    kept: int
    moved: int

    @nn.compact
    def __call__(self, z, y, inverse: bool):
        a, b = z[:, : self.kept], z[:, self.kept :]
        h = nn.gelu(nn.Dense(UNITS)(jnp.concatenate([a, y], -1)))
        h = nn.Dense(2 * self.moved, kernel_init=nn.initializers.zeros)(h)
        s, t = jnp.split(h, 2, -1)
        s = REACH * jnp.tanh(s / REACH)
        b = (b - t) * jnp.exp(-s) if inverse else b * jnp.exp(s) + t
        return jnp.concatenate([a, b], -1), jnp.sum(s, -1)
