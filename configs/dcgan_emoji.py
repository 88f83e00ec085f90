"""DCGAN on the embedded emoji faces. Radford et al. 2015,
arXiv:1511.06434, with DiffAugment (Zhao et al. 2020, arXiv:2006.10738), since 130
pictures are few.

python launch.py --config=configs/dcgan_emoji.py
python launch.py --config=configs/dcgan_emoji.py:pocket     pretrained:emoji_gan

--config.data.categories='Animals & Nature' draws those, '' all 1,636 emoji, and
--config.data.name=folder:PATH your own pictures (with --config.data.categories=).
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.categories = 'Smileys & Emotion'
    config.data.flip = True
    config.method.augment = 'color,translation,cutout'
    config.method.ema_decay = 0.998
    config.optimizer.b1 = 0.5
    config.train.steps = 2000
    config.train.image_steps = 100
    config.train.checkpoint_steps = 500
    pocket = {'model.width': 48, 'train.steps': 4000}
    return default.with_variant(config, variant, pocket=pocket)
