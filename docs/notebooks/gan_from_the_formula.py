# %% [markdown]
# # GAN: from the formula to DCGAN
#
# Goodfellow et al. 2014 (arXiv:1406.2661) let two networks play a game:
#
# $$\min_G \max_D\; \mathbb E_{x\sim p}\log D(x) + \mathbb E_{z}\log\bigl(1-D(G(z))\bigr).$$
#
# This notebook checks what the paper proves, on a line where all is known, then plays
# the game in the plane, and ends with pictures.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from PIL import Image, ImageDraw

import gan_vae as gv
from gan_vae.config import default
from gan_vae.images import grid
from gan_vae.objectives import adversarial

# %% [markdown]
# ## The best discriminator
#
# For a fixed generator with density q, the best answer at x is
# $D^*(x) = p(x) / (p(x) + q(x))$. Take $p = N(1, 1)$ and $q = N(-1, 1)$. Then
# $\log D^* / (1-D^*) = \log p - \log q = 2x$: the logit of the best discriminator is a
# line of slope 2. A network that minimises the discriminator's loss must find it,
# although it never sees a density.


# %%
class Small(nn.Module):
    """Vectors [n, d] -> [n, out]."""

    out: int

    @nn.compact
    def __call__(self, x):
        for _ in range(2):
            x = nn.silu(nn.Dense(64)(x))
        return nn.Dense(self.out)(x)


loss = adversarial.LOSSES['non_saturating']
D = Small(1)
optimizer = optax.adam(3e-3)


@jax.jit
def update(params, state, key):
    real, fake = (
        jax.random.normal(key, (2, 512, 1)) + jnp.array([1.0, -1.0])[:, None, None]
    )

    def value(p):
        return loss.discriminator(D.apply(p, real)[:, 0], D.apply(p, fake)[:, 0])

    changes, state = optimizer.update(jax.grad(value)(params), state)
    return optax.apply_updates(params, changes), state


params = D.init(jax.random.key(0), jnp.zeros((1, 1)))
state = optimizer.init(params)
for key in jax.random.split(jax.random.key(1), 1000):
    params, state = update(params, state, key)
x = jnp.array([-2.0, -1.0, 0.0, 1.0, 2.0])
print('x              ', x)
print('learned logit  ', D.apply(params, x[:, None])[:, 0].round(2))
print('log p(x)/q(x)  ', 2 * x)

# %% [markdown]
# ## What the game minimises
#
# Put $D^*$ into the formula, and what is left for the generator is
# $2\,\mathrm{JS}(p, q) - \log 4$, with the Jensen-Shannon divergence JS. At p = q the
# discriminator knows nothing, D = 1/2, and the loss of the discriminator is
# $\log 4 = 1.386$. Remember that number: a discriminator's loss near 1.386 is a draw,
# near 0 a defeat of the generator.
#
# ## Why nobody uses the formula as it stands
#
# Early on, D is sure that samples are fake: its logit f at them is very negative. The
# generator's gradient through $\log(1 - D)$ is then $-\sigma(f)$, almost nothing. The
# paper's own remedy is to minimise $-\log D$ instead, whose gradient $-(1-\sigma(f))$ is
# largest exactly there.

# %%
for f in (-8.0, -4.0, 0.0, 4.0):
    slopes = {
        name: float(
            jax.grad(
                lambda f, name=name: adversarial.LOSSES[name].generator(f, None).mean()
            )(jnp.array(f))
        )
        for name in ('saturating', 'non_saturating')
    }
    print(
        f'logit {f:4}:  '
        + '   '.join(f'{name} {slope:8.4f}' for name, slope in slopes.items())
    )

# %% [markdown]
# ## The game in the plane
#
# Eight clusters on a ring. The generator turns noise in the plane into points. **Mode
# collapse** can be watched here: a generator that only visits some clusters fools the
# discriminator there, and gets no gradient towards the others.

# %%
G = Small(2)
both = optax.adam(1e-3, b1=0.5)
corners = 2 * np.stack([np.cos(t := np.arange(8) * np.pi / 4), np.sin(t)], 1)


@jax.jit
def play(g, d, g_state, d_state, key):
    k0, k1, k2, k3 = jax.random.split(key, 4)
    real = jnp.array(corners)[jax.random.randint(k0, (256,), 0, 8)]
    real += 0.05 * jax.random.normal(k1, (256, 2))
    z = jax.random.normal(k2, (256, 2))

    def d_loss(d):
        return loss.discriminator(
            D.apply(d, real)[:, 0], D.apply(d, G.apply(g, z))[:, 0]
        )

    changes, d_state = both.update(jax.grad(d_loss)(d), d_state)
    d = optax.apply_updates(d, changes)
    z = jax.random.normal(k3, (256, 2))
    changes, g_state = both.update(
        jax.grad(lambda g: loss.generator(D.apply(d, G.apply(g, z))[:, 0], None))(g),
        g_state,
    )
    return optax.apply_updates(g, changes), d, g_state, d_state


def picture(points):
    """Points of the plane as a picture: clusters in red, samples in blue."""
    sheet = Image.new('RGB', (240, 240), 'white')
    draw = ImageDraw.Draw(sheet)
    for marks, colour, r in ((corners, 'red', 5), (points, 'blue', 1)):
        for u, v in 120 + 40 * np.asarray(marks):
            draw.ellipse((u - r, v - r, u + r, v + r), fill=colour)
    return np.array(sheet)


def near(points):
    """(clusters with 2 % of the points or more, share of points on a cluster)."""
    close = np.linalg.norm(points[:, None] - corners, axis=2) < 0.25
    return int((close.mean(0) >= 0.02).sum()), close.any(1).mean()


g, d = (
    G.init(jax.random.key(2), jnp.zeros((1, 2))),
    D.init(jax.random.key(3), jnp.zeros((1, 2))),
)
g_state, d_state, frames = both.init(g), both.init(d), []
for step, key in enumerate(jax.random.split(jax.random.key(4), 6001)):
    if step in (100, 1000, 3000, 6000):
        points = np.asarray(G.apply(g, jax.random.normal(jax.random.key(5), (400, 2))))
        frames.append(picture(points))
        clusters, share = near(points)
        print(f'step {step}: {clusters} of 8 clusters, {share:.0%} of points on one')
    g, d, g_state, d_state = play(g, d, g_state, d_state, key)
Image.fromarray(grid(np.array(frames), 4))

# %% [markdown]
# Clusters come and go: one that was visited may be left again, as D learns to suspect
# what G draws most. Does a penalty help the generator to all eight? It was measured with three seeds:
# [Does a regulariser help a GAN to cover all modes of a ring?](../results/gan.md#does-a-regulariser-help-a-gan-to-cover-all-modes-of-a-ring)
#
# ## DCGAN
#
# For pictures, the networks become convolutional. Radford et al. 2015
# (arXiv:1511.06434) found what makes the game stable: strided convolutions in place of
# pooling, batch normalisation, Adam with b1 = 0.5. The game is the same, and so is the
# loss. Here it is at a size that trains in a minute, on emoji: enough to see the losses
# move, and far too little to see faces. `real` and `fake` are the mean logits of both
# kinds of pictures, and `gradient_d` is the length of the gradient of D.

# %%
config = default.get_config('gan')
config.name = 'dcgan'
config.data.categories = 'Smileys & Emotion'
config.method.loss = 'non_saturating'
config.method.augment = 'color,translation,cutout'
config.method.ema_decay = 0.98
config.optimizer.b1 = 0.5
config.model.width = 16
config.train.steps = 200
config.eval.metrics = ''
config.train.log_steps = 50
config.train.checkpoint_steps = 200
run = gv.train(config, 'runs/dcgan')
sheet = Image.fromarray(grid(gv.open(run).sample(16, seed=0), 8))
sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)

# %% [markdown]
# Blots, as said. Compare the printed `loss_d` with $\log 4$: who is winning? Two thousand steps at
# width 64 give faces ([figure](../results/gan.md#what-does-a-dcgan-draw-of-few-emoji)).
#
# **Exercises.** 1. Replace `non_saturating` by `saturating` in the plane. 2. Start G
# and D from other seeds: how many clusters are visited? 3. Give D three updates for
# each of G. 4. Which logit does the best discriminator have if $q = N(-1, 2^2)$? Derive
# it, then train D.
