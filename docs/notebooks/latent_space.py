# %% [markdown]
# # The latent space of a VAE
#
# A variational autoencoder (VAE) has two networks. The **encoder** turns a picture $x$
# into the mean and variance of a normal distribution over a short vector $z$, the
# latent. The **decoder** turns $z$ back into a picture. Training pulls the latents of
# all pictures towards one common law, $N(0, I)$, so that a vector drawn from that law
# decodes to a picture that was never in the training set.
#
# This notebook opens a small VAE of emoji faces that is part of the package. Nothing is
# trained and nothing is downloaded.

# %%
import numpy as np
from PIL import Image

import gan_vae as gv
from gan_vae.data import emoji
from gan_vae.images import grid


def show(pictures, columns=8):
    """The pictures uint8 [n, H, W, 3] as a sheet, twice their size."""
    sheet = Image.fromarray(grid(np.asarray(pictures), columns))
    return sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)


model = gv.open('pretrained:emoji_vae')
print(model.shape, model.latent_size)

# %% [markdown]
# ## There and back
#
# Eight faces that the model was **not** trained on, and below them what the decoder
# makes of their latents. A face of 32 x 32 x 3 = 3,072 numbers went through 64 numbers.

# %%
pictures, labels, names, categories = emoji.load('test')
faces = pictures[labels == categories.index('Smileys & Emotion')][:8]
latents = model.encode(faces)
again = model.decode(latents)
error = np.abs(faces.astype(float) - again).mean()
print(f'{latents.shape} latents; the mean error is {error:.1f} of 255 grey levels')
show([*faces, *again])

# %% [markdown]
# ## How many of the 64 numbers carry anything?
#
# Where a unit of the latent does not help the decoder, the KL term of the objective
# pushes its law to $N(0, 1)$ whatever the picture is: its mean is then 0 for every
# picture. `encode` gives the means. A deviation near 0 over many pictures is a unit
# without use; one near 1 or above is a unit that tells pictures apart.

# %%
many, labels, _, _ = emoji.load('train')
many = many[labels == categories.index('Smileys & Emotion')]
spread = model.encode(many).std(0)
order = np.argsort(-spread)
print('largest deviations: ', spread[order[:5]].round(2))
print('smallest deviations:', spread[order[-5:]].round(2))

# %% [markdown]
# No unit is without use here: all 64 tell pictures apart, up to five times as much as
# others. The prior asks for a deviation of 1 of means *and* noise together.
#
# Move along the units that vary the most, from -3 to 3, with the others held at those
# of one face. Each row is a unit.

# %%
rows = []
for unit in order[:4]:
    z = np.repeat(latents[:1], 8, axis=0)
    z[:, unit] = np.linspace(-3, 3, 8)
    rows.extend(model.decode(z))
show(rows)

# %% [markdown]
# ## Between two faces
#
# A straight line between two latents passes nearer to the origin than both. Samples of
# a normal law in 64 dimensions hardly ever lie there: their length is near
# $\sqrt{64} = 8$. The means of an encoder are shorter, as the noise around them is left
# out. **Spherical
# interpolation** turns from one to the other and keeps the length between theirs.


# %%
def between(a, b, t):
    """The spherical interpolation of vectors a and b, at t in [0, 1]."""
    angle = np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


steps = np.linspace(0, 1, 8)
line = np.array([(1 - t) * latents[0] + t * latents[5] for t in steps])
turn = np.array([between(latents[0], latents[5], t) for t in steps])
print('lengths on the line:', np.linalg.norm(line, axis=1).round(1))
print('lengths on the turn:', np.linalg.norm(turn, axis=1).round(1))
show([*model.decode(line), *model.decode(turn)])

# %% [markdown]
# ## Samples
#
# Latents drawn from $N(0, I)$, and then from a law that is narrower: at temperature 0.5
# samples are more typical and less varied.

# %%
show([*model.sample(8, seed=1), *model.sample(8, seed=1, temperature=0.5)])

# %% [markdown]
# ## What to try next
#
# - `gan_vae art directions` finds directions that change one factor, such as the colour
#   of a pot, by the labels of [vector art](../guides/data.md#drawings-without-end).
# - [Why samples of VAEs blur](../explanations/blur.md) says where the softness of these
#   faces comes from.
# - `gan_vae studio` has these steps as sliders ([guide](../guides/studio.md)).
