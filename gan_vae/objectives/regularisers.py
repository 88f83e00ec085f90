"""What steadies a GAN besides gradient penalties: terms of logits, images and weights.

  consistency   E (D(x) - D(T(x)))^2                   CR, bCR; zCR's of D
  diversity     -E |G(z) - G(z + e)|^2 / pixels        zCR's of G
  LeCam         E (D(x) - a_F)^2 + E (D(G(z)) - a_R)^2
  orthogonal    sum_W |W^T W o (1 - I)|^2
  clipping      w <- min(c, max(-c, w))
  path lengths  |J^T y|, J = d G(w) / d w
  correspondence  E KL(softmax_j cos(h_i, h_j) | the same of the source's h)

Zhang et al. 2019, arXiv:1910.12027 (CR); Zhao et al. 2020, arXiv:2002.04724 (bCR, zCR);
Tseng et al. 2021, arXiv:2104.03310 (LeCam); Brock et al. 2018, arXiv:1809.11096,
equation 3; Arjovsky et al. 2017, arXiv:1701.07875 (clipping); Karras et al. 2019,
arXiv:1912.04958, section 3.2; Ojha et al. 2021, arXiv:2104.06820, equation 2
(correspondence).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Averages = dict[str, jax.Array]  # of the logits: real, fake


def consistency(logits: jax.Array, changed: jax.Array) -> jax.Array:
    """E (D(x) - D(T(x)))^2 of logits [B]: small, if D does not see the change T.

    Gradients go to both. With T on real images Zhang et al. 2019, equation 1; on
    generated ones too, or T a change of latents, Zhao et al. 2020, algorithms 1 and 2.
    """
    return jnp.mean(jnp.square(logits - changed))


def diversity(images: jax.Array, changed: jax.Array) -> jax.Array:
    """-E (G(z) - G(z + e))^2, a mean over pixels: small, if G does see the change e.

    Negative: the generator is rewarded. Zhao et al. 2020, arXiv:2002.04724, algorithm
    2, which writes a norm; its usual weight 1/2 belongs to a mean.
    """
    return -jnp.mean(jnp.square(images - changed))


def lecam(real: jax.Array, fake: jax.Array, averages: Averages) -> jax.Array:
    """E (D(x) - a_F)^2 + E (D(G(z)) - a_R)^2, of logits [B].

    averages: {'real': a_R, 'fake': a_F}, moving means of D's logits. Tseng et al. 2021,
    arXiv:2104.03310, equation 4 (their code keeps the positive differences only).
    """
    return jnp.mean(jnp.square(real - averages['fake'])) + jnp.mean(
        jnp.square(fake - averages['real'])
    )


def lecam_averages(
    averages: Averages, means: Averages, decay: jax.Array | float
) -> Averages:
    """a <- decay a + (1 - decay) E D, both {'real': scalar, 'fake': scalar}."""
    return {k: decay * a + (1 - decay) * means[k] for k, a in averages.items()}


def orthogonal(params: Any) -> jax.Array:
    """sum_W |W^T W o (1 - I)|^2 over the kernels W [inputs, outputs] of a network.

    Off the diagonal alone: filters are kept apart, not of one length. Convolutions'
    inputs are their window's. Brock et al. 2018, arXiv:1809.11096, equation 3.
    """

    def of(kernel: jax.Array):
        w = kernel.reshape(-1, kernel.shape[-1])
        gram = w.T @ w
        return jnp.sum(jnp.square(gram - jnp.diag(jnp.diag(gram))))

    named = jax.tree_util.tree_leaves_with_path(params)
    kernels = [w for path, w in named if path[-1].key == 'kernel']
    return sum(map(of, kernels), jnp.zeros(()))


def path_lengths(
    draw: Callable[[jax.Array], jax.Array], styles: jax.Array, noise: jax.Array
) -> jax.Array:
    """|J^T y| [B] of images draw(styles), styles [B, L, D], y = `noise` like images.

    The root of the mean over L of sums over D. With y ~ N(0, 1) / sqrt(pixels) and a
    linear `draw` by matrices A_l, E |J^T y|^2 = sum_l |A_l|^2 / (L pixels).
    """

    def along(styles: jax.Array) -> jax.Array:
        return jnp.sum(draw(styles) * noise)

    slope = jax.grad(along)(styles)
    return jnp.sqrt(jnp.mean(jnp.sum(jnp.square(slope), axis=2), axis=1))


def correspondence(maps: list[jax.Array], source: list[jax.Array]) -> jax.Array:
    """How differently two networks place the same samples, in nats: 0 if alike.

    maps, source: activations [n, ...] of n > 2 samples. Of each map the mean over i of
    KL(p_i | q_i), p_i = softmax over j != i of cos(h_i, h_j), q_i of the source; then
    the mean over maps. Ojha et al. 2021, equation 2, who sum over i.
    """

    def log_shares(h: jax.Array) -> jax.Array:
        h = h.reshape(len(h), -1)
        h = h * jax.lax.rsqrt(jnp.sum(h * h, -1, keepdims=True) + 1e-12)
        others = (h @ h.T)[~np.eye(len(h), dtype=bool)].reshape(len(h), -1)
        return jax.nn.log_softmax(others, -1)

    def of(h: jax.Array, wanted: jax.Array) -> jax.Array:
        p, q = log_shares(h), log_shares(wanted)
        return jnp.mean(jnp.sum(jnp.exp(p) * (p - q), -1))

    return jnp.mean(jnp.stack([of(*pair) for pair in zip(maps, source, strict=True)]))


def clip_weights(params: Any, limit: float):
    """Every parameter into [-limit, limit]. Arjovsky et al. 2017, algorithm 1."""
    return jax.tree.map(lambda w: jnp.clip(w, -limit, limit), params)
