# %% [markdown]
# # Train a GAN on your folder
#
# A generative adversarial network (GAN) has two networks. The **generator** turns
# random numbers into pictures; the **discriminator** tells generated pictures from real
# ones. Each learns from the other, until the pictures of the generator pass for real.
#
# This notebook needs a folder of pictures. So that it runs anywhere, it first writes
# one: 130 emoji faces. For your own, leave that cell out and put the path of your
# folder in `FOLDER`.

# %%
from pathlib import Path

import numpy as np
from PIL import Image

import gan_vae as gv
from gan_vae.config import default
from gan_vae.data import emoji
from gan_vae.images import grid

FOLDER = Path('pictures')


def show(pictures, columns=8):
    """The pictures uint8 [n, H, W, 3] as a sheet, twice their size."""
    sheet = Image.fromarray(grid(np.asarray(pictures), columns))
    return sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)


# %%
pictures, labels, names, categories = emoji.load('train')
faces = pictures[labels == categories.index('Smileys & Emotion')]
FOLDER.mkdir(exist_ok=True)
for number, face in enumerate(faces):
    Image.fromarray(face).save(FOLDER / f'{number:03}.png')
print(len(faces), 'pictures')
show(faces[:16])

# %% [markdown]
# ## The config
#
# A config says everything about a run. The defaults are those of DCGAN (Radford et al.
# 2015, arXiv:1511.06434). What differs:
#
# - `augment`: with few pictures a discriminator learns them by heart. DiffAugment (Zhao
#   et al. 2020, arXiv:2006.10738) changes colour, place and a part of each picture,
#   real or generated, before the discriminator sees it.
# - `split` and `eval_split` are both `all`, as the folder is small: what the run prints
#   as held out is then of pictures that it has seen.
# - `width` and `steps` are small, so that this page is made in a minute. **Width 64 and
#   some thousand steps are what faces need.**

# %%
config = default.get_config('gan')
config.name = 'faces'
config.data.name = f'folder:{FOLDER}'
config.data.split = config.data.eval_split = 'all'
config.data.flip = True
config.method.augment = 'color,translation,cutout'
config.optimizer.b1 = 0.5
config.model.width = 24
config.method.ema_decay = 0.98
config.train.steps = 120
config.eval.metrics = ''  # they are measured below
config.train.log_steps = 60
config.train.image_steps = 60
config.train.checkpoint_steps = 120
run = gv.train(config, 'runs/faces')
print(run.path, 'has', run.step, 'steps')

# %% [markdown]
# ## Samples

# %%
show(gv.open(run).sample(16, seed=1))

# %% [markdown]
# After so few steps they are blots in the colours of the set. Below is a model of
# the same kind that was trained for 4,000 steps at width 48. It is part of the package.

# %%
show(gv.open('pretrained:emoji_gan').sample(16, seed=1))

# %% [markdown]
# ## Is it getting better?
#
# The losses of a GAN do not say: each is measured against the other network, which
# changes, too. A distance between samples and real pictures does. `swd` compares
# patches; lower is better. The baseline is the value between two halves of the real
# pictures, and no generator needs to be below it. Those halves have 65 pictures each and
# the samples are 130, so that a good model can come out below: fewer pictures are
# farther apart.

# %%
for name, model in {
    '120 steps': gv.open(run),
    'shipped': gv.open('pretrained:emoji_gan'),
}.items():
    card = gv.measure(model.sample(130), faces, 'swd')['swd']
    print(f'{name}: {card.value:.1f}, baseline {card.null:.1f}')

# %% [markdown]
# ## Go on
#
# A run is its folder. The same call with more steps goes on where it ended, bit for bit
# as if it had never stopped.

# %%
config.train.steps = 140
run = gv.train(config, 'runs/faces')
print(run.step)

# %% [markdown]
# ## When pictures do not get better
#
# | what you see | what it is | what to do |
# | --- | --- | --- |
# | all samples alike | mode collapse | more variety in the folder; `augment`; a smaller learning rate |
# | training pictures, exactly | learned by heart | more pictures; the metric `originality_random` measures it |
# | `accuracy_real` and `accuracy_fake` near 1 | the discriminator has won | `augment`, or a penalty: `config.method.penalty = 'r1'` |
# | blots after thousands of steps | too varied for this size | one kind of picture; a larger `width`; a GPU |
#
# [Start as an artist](../start/artist.md) goes on with a shipped model in place of a new one, which takes minutes.
# [GANs by name](../guides/gans.md) has larger ones.
