# %% [markdown]
# # VAE: from the ELBO to bits on disk
#
# A variational autoencoder (Kingma & Welling 2013, arXiv:1312.6114) has a prior
# $p(z) = N(0, I)$, a decoder $p(x \mid z)$, and an encoder $q(z \mid x)$. Its objective
# is the evidence lower bound:
#
# $$\log p(x) \ge \mathbb E_{q(z|x)}\log p(x\mid z) - \mathrm{KL}\bigl(q(z\mid x)\,\|\,p(z)\bigr).$$
#
# This notebook checks the bound where log p(x) is known, trains a small VAE, and then
# does what the bound promises: it stores pictures in a file of about that many bits.
# For that it needs `pip install -e '.[codec]'` in a clone.

# %%
import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

import gan_vae as gv
from gan_vae.config import default
from gan_vae.data import emoji
from gan_vae.images import grid
from gan_vae.objectives import bounds

# %% [markdown]
# ## The bound, where everything is known
#
# Let $z \sim N(0, 1)$ and $x \mid z \sim N(z, 1)$. Then $x \sim N(0, 2)$, and the true
# posterior is $N(x/2, 1/2)$. For a normal q the ELBO has a closed form. With the true
# posterior it **equals** log p(x); with any other q it is lower by exactly KL(q ||
# posterior).


# %%
def elbo(x, mean, variance):
    """E log N(x; z, 1) - KL(N(mean, variance) || N(0, 1)), in nats."""
    reconstruction = -0.5 * np.log(2 * np.pi) - 0.5 * ((x - mean) ** 2 + variance)
    kl = bounds.kl_to_standard_normal(
        jnp.array([[mean]]), jnp.array([[np.log(variance)]])
    )
    return reconstruction - float(jnp.sum(kl))


x = 1.5
log_p = -0.5 * np.log(2 * np.pi * 2) - x**2 / 4
print(f'log p(x)                 {log_p:.4f}')
print(f'ELBO, true posterior     {elbo(x, x / 2, 0.5):.4f}')
print(f'ELBO, variance too large {elbo(x, x / 2, 1.0):.4f}')
print(f'ELBO, q = prior          {elbo(x, 0.0, 1.0):.4f}')

# %% [markdown]
# ## More samples, a tighter bound
#
# Burda et al. 2015 (arXiv:1509.00519) average K importance weights inside the
# logarithm. The bound rises to log p(x) as K grows, even with a poor q. Here q is the
# prior:


# %%
def weights(key, k, n=20_000):
    """log w = log p(x, z) - log q(z) of k samples of q = N(0, 1), [k, n]."""
    z = jax.random.normal(key, (k, n))
    return -0.5 * jnp.log(2 * jnp.pi) - 0.5 * (x - z) ** 2


for k in (1, 5, 50):
    value = bounds.importance_bound(weights(jax.random.key(k), k)).mean()
    print(f'K = {k:2}: {float(value):.4f}')

# %% [markdown]
# ## A VAE of pictures
#
# Emoji in black and white, 32 x 32: each pixel is 0 or 1, so the decoder gives a
# probability for each (Bernoulli). One bit each is 1,024 bits a picture, without any
# model. The networks have one hidden layer, as in the paper.

# %%
config = default.get_config('vae')
config.name = 'bits'
config.data.channels = 1
config.data.binarize = 'threshold'
config.data.batch_size = 128
config.model.encoder = config.model.decoder = 'mlp'
config.model.width = 256
config.model.latent_dim = 16
config.method.likelihood = 'bernoulli'
config.optimizer.learning_rate = 1e-3
config.train.steps = 1000
config.eval.metrics = ''
config.train.log_steps = 500
config.train.checkpoint_steps = 1000
run = gv.train(config, 'runs/bits')

# %% [markdown]
# ## What the bound is worth
#
# The ELBO of pictures that were not trained on, in nats, and as bits for each pixel. It
# is an average over random z, so that two evaluations differ a little.

# %%
model = gv.open(run)
pictures, _, _, _ = emoji.load('test')
grey = np.asarray([Image.fromarray(p).convert('L') for p in pictures])[..., None]
nats = model.elbo(grey)
print(
    f'ELBO {nats.mean():.1f} nats a picture, {-nats.mean() / np.log(2) / 1024:.3f} bits a pixel'
)
black = np.where(grey < 128, 0, 255).astype(np.uint8)
again = model.decode(model.encode(grey[:8]))
sheet = Image.fromarray(grid(np.repeat([*black[:8], *again], 3, axis=-1), 8))
sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)

# %% [markdown]
# Above: the pictures; below: the means of the decoder. They are grey where the latent
# leaves a pixel open: [why samples of VAEs blur](../explanations/blur.md).
#
# ## Bits on disk
#
# A model that gives a probability to each value can be used to store it: an entropy
# coder spends $-\log_2 p$ bits on what had probability p. A latent model does not give
# p(x), only the bound. **Bits back** coding (Townsend et al. 2019, arXiv:1901.04866)
# reaches the bound: to choose z the encoder *decodes* bits that are already in the
# file, so that the KL is all that z costs.

# %%
from gan_vae.art import compressed

count, bits, _ = compressed.encode(run.path, 'emoji:test', 200, 'emoji.bits')
print(f'{count} pictures')
for name, value in bits.items():
    print(f'{name:24} {value:.4f} bits a pixel')

# %% [markdown]
# The first latents are chosen by 256 words that the file begins with, the "initial
# bits". They, the head and the hash of a file weigh where the pictures are few: the file
# of this small model is larger than a sheet of WebP. Of 200 pictures that were asked
# for, the set has 154.
#
# And back, bit for bit:

# %%
count = compressed.decode(run.path, 'emoji.bits', 'again')
from pathlib import Path

first = np.asarray(Image.open(sorted(Path('again').rglob('*.png'))[0]))
print(count, 'pictures;', first.shape, 'values', np.unique(first))

# %% [markdown]
# A better model is a smaller file. After a longer training on MNIST the same codec
# needs half of what WebP needs
# ([figure](../results/vae.md#how-many-bits-does-an-image-take-in-a-file)), and
# [codec](../codec.md) describes the file.
#
# **Exercises.** 1. Why is the ELBO with q = prior lower than with a q that is too wide?
# Split both into reconstruction and KL. 2. Double `latent_dim`: do the bits fall? 3.
# Train 10,000 steps, and compare the bits of `emoji:train` with those of `emoji:test`.
# What happened?
