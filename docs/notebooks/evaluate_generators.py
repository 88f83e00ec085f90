# %% [markdown]
# # Evaluate two generators honestly
#
# Two models of the same 130 emoji faces are part of the package: a GAN and a VAE. Which
# is better? This notebook measures, and shows five ways in which such a number can
# mislead. All of it works on arrays, from any generator of any framework.

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


pictures, labels, names, categories = emoji.load('train')
faces = pictures[labels == categories.index('Smileys & Emotion')]
gan = gv.open('pretrained:emoji_gan').sample(520, seed=1)
vae = gv.open('pretrained:emoji_vae').sample(520, seed=1)
show([*gan[:8], *vae[:8]])

# %% [markdown]
# ## 1. A number needs a baseline
#
# `fd_random` is the Fréchet distance, the formula of FID, with features of a network of
# random weights: emoji are no photographs, for which FID's own network was trained. The
# **baseline** is the same distance between two disjoint halves of the real pictures.


# %%
def line(name, samples, metric, reference=faces):
    """Each value of a metric, with its standard error and its baseline."""
    for key, card in gv.measure(samples, reference, metric).items():
        print(
            f'{name:12} {key:18} {card.value:8.4f} ± {card.spread:.4f}   baseline {card.null:.4f}'
        )


line('GAN', gan, 'fd_random')
line('VAE', vae, 'fd_random')

# %% [markdown]
# ## 2. It depends on how many samples there are
#
# The same generator and the same 520 samples: all at once, and as eight sets of 65, whose
# mean is shown. An estimate of a covariance has an error, and the error counts as distance:
# it makes small sets look worse. The kernel distance `kid_random` has no such bias; its
# spread grows, and its mean stays.


# %%
def value(samples, metric):
    return gv.measure(samples, faces, metric)[metric].value


for metric in ('fd_random', 'kid_random'):
    parts = [value(part, metric) for part in np.split(gan, 8)]
    print(f'{metric}: {value(gan, metric):.4f} of 520, {np.mean(parts):.4f} of 65 each')

# %% [markdown]
# So a value must be compared with others of the same n. The baseline above is of 65
# pictures, as there are 130 real ones to cut into halves: it stands beside the second of
# the two numbers, and not the first.

# %% [markdown]
# ## 3. One number hides two
#
# Precision is the share of samples that lie among the real pictures, recall the share
# of real pictures that lie among the samples. A generator of one good picture has
# precision 1.

# %%
one = np.repeat(gan[:1], 130, axis=0)
line('GAN', gan[:130], 'pr_random')
line('VAE', vae[:130], 'pr_random')
near_copies = np.clip(
    one.astype(int) + np.random.default_rng(0).integers(-2, 3, one.shape), 0, 255
)
line('one picture', near_copies.astype(np.uint8), 'pr_random')

# %% [markdown]
# ## 4. Copies win
#
# The best possible generator by any distance of this kind gives back the training set.

# %%
line('copies', faces, 'fd_random')

# %% [markdown]
# No such distance can see that. Compare each sample with its nearest training picture
# instead, and held-out pictures with theirs: new pictures are as far from the training
# set as held-out ones are. (With 99 held-out pictures or more, the metric
# `originality_random` makes a test of it. Here there are 21, so this is a look and no
# test.)


# %%
def nearest(samples, reference):
    """The distance of each picture to the nearest of `reference`, root mean square in grey levels."""
    a, b = (x.reshape(len(x), -1).astype(np.float32) for x in (samples, reference))
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares.min(1), 0) / a.shape[1])


tests, labels, _, _ = emoji.load('test')
held_out = tests[labels == categories.index('Smileys & Emotion')]
for name, samples in {
    'held out': held_out,
    'GAN': gan[:130],
    'VAE': vae[:130],
    'copies': faces,
}.items():
    print(f'{name:10} median {np.median(nearest(samples, faces)):5.1f}')

# %% [markdown]
# ## 5. A seed is one draw
#
# The same generator with other seeds. A difference between two generators that is
# smaller than this is none. It is the least spread that there is: training with another
# seed adds its own.

# %%
model = gv.open('pretrained:emoji_gan')
values = [
    gv.measure(model.sample(130, seed=seed), faces, 'fd_random')['fd_random'].value
    for seed in (2, 3, 4)
]
print(
    'seeds 2, 3, 4:',
    np.round(values, 4),
    ' deviation:',
    np.std(values, ddof=1).round(4),
)

# %% [markdown]
# ## What to report
#
# The value with its standard error **and** baseline, n on both sides, the features and
# their resize, the split, seeds. `card.line()` prints all of it:

# %%
print(gv.measure(gan, faces, 'fd_random')['fd_random'].line())

# %% [markdown]
# [What FID means](../explanations/fid.md) has the formula and its limits,
# [which metric detects which fault](../results/metrics.md#which-metric-detects-which-fault)
# a measurement of them.
