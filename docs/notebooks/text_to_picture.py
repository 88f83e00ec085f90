# %% [markdown]
# # Text to picture, step by step
#
# `pretrained:prompt_art` draws critters and sprouts by words. It is small enough to
# look into: this notebook takes a picture through each of its parts. The large models
# of this kind are built of the same parts.
#
# 1. A **tokeniser** turns a picture into a small map of codes, and codes into a
#    picture.
# 2. A **transformer** learns which code follows which, given the words.
# 3. **Sampling** draws codes one after the other, and the tokeniser makes a picture of
#    them.

# %%
import numpy as np
from PIL import Image

import gan_vae as gv
from gan_vae.images import grid


def show(pictures, columns=8):
    """The pictures uint8 [n, H, W, 3] as a sheet, twice their size."""
    sheet = Image.fromarray(grid(np.asarray(pictures), columns))
    return sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)


model = gv.open('pretrained:prompt_art')
PROMPT = 'a cactus in a white bowl on navy'
pictures = model.sample(8, prompt=PROMPT, seed=0)
show(pictures)

# %% [markdown]
# ## 1. Codes
#
# The tokeniser looks at a picture in a grid of places, and says for each which entry of
# its codebook fits best. What was 32 x 32 x 3 numbers is now a page of 64 words in a
# language of its own.

# %%
codes = model.tokenise(pictures)
print(codes.shape, 'codes; those of the first picture:')
print(codes[0])

# %% [markdown]
# The way back is not quite the picture: a codebook is a lossy alphabet. Above the
# samples, below what their codes give. Samples are made of codes, so they lose little;
# a drawing of yours would lose more.

# %%
again = model.detokenise(codes)
print('mean error:', np.abs(pictures.astype(float) - again).mean().round(2), 'of 255')
show([*pictures, *again])

# %% [markdown]
# A code has its place: the upper half of the codes of one picture with the lower half
# of another is a picture of both.

# %%
mixed = codes.copy()
mixed[:, 4:] = np.roll(codes, 1, axis=0)[:, 4:]
show(model.detokenise(mixed))

# %% [markdown]
# Codes at random are valid codes, and no picture. What makes a picture is **which code
# stands beside which**, and this is all that the transformer learns:
#
# $$p(c_1, \ldots, c_{64} \mid \text{words}) = \prod_i p(c_i \mid c_1, \ldots, c_{i-1}, \text{words}).$$

# %%
random = np.random.default_rng(0)
show(model.detokenise(random.choice(np.unique(codes), codes.shape)))

# %% [markdown]
# ## 2. Words
#
# Change one word, and keep the seed. The random numbers are the same, the law that they
# draw from is another.

# %%
prompts = [
    f'a cactus in a {colour} bowl on navy'
    for colour in ('white', 'yellow', 'pink', 'green')
]
show(
    [
        picture
        for prompt in prompts
        for picture in model.sample(4, prompt=prompt, seed=3)
    ],
    columns=4,
)

# %% [markdown]
# ## 3. Sampling
#
# At each place the transformer gives a probability to every code. Three ways to change
# it:
#
# - **guidance** s: with logits l of the words and u of no words, draw by u + s (l - u).
#   Above 1 it exaggerates what the words change.
# - **temperature**: divide the logits. Below 1 likely codes become likelier.
# - **top_p**: only the likeliest codes that together have so much probability.

# %%
rows = [
    *model.sample(8, prompt='a cactus on navy', seed=5, guidance=1.0),
    *model.sample(8, prompt='a cactus on navy', seed=5, guidance=4.0),
    *model.sample(8, prompt='a cactus on navy', seed=5, temperature=0.5),
]
show(rows)

# %% [markdown]
# How alike are the pictures of a row? The share of places where two of them have the same
# code, over all pairs:

# %%
names = ('guidance 1', 'guidance 4', 'temperature 0.5')
for name, row in zip(names, np.split(model.tokenise(np.array(rows)), 3), strict=True):
    same = [(a == b).mean() for i, a in enumerate(row) for b in row[:i]]
    print(f'{name:16} {np.mean(same):.2f}')

# %% [markdown]
# ## What it cannot do
#
# The model knows the words of [its captions](../guides/prompts.md) and nothing else. A
# word that it does not know is left out, and a prompt without any that it knows is an
# error.

# %%
try:
    model.sample(1, prompt='a bicycle')
except gv.UserError as error:
    print(error)

# %% [markdown]
# [Does a picture show what its caption says?](../results/prompts.md#does-a-picture-show-what-its-caption-says)
# has measured how often it does.
