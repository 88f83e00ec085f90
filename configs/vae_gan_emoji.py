"""VAE-GAN on the embedded emoji faces: reconstructions by what D sees, and samples.
Larsen et al. 2016, arXiv:1512.09300; networks of the authors' code for 32 pixels, with
DiffAugment (Zhao et al. 2020, arXiv:2006.10738), since 130 pictures are few.

python launch.py --config=configs/vae_gan_emoji.py          a GPU: not run
python launch.py --config=configs/vae_gan_emoji.py:small    one CPU core: half of the
                                                            width, 2k steps, 33 min

Published: pictures of CelebA at 64 pixels, and no figure that this compares with.
Not as published: RMSProp at 3e-4, that is b1 = 0, and the saturating loss. Without
DiffAugment D won, and G drew one picture for all z that are of no image: with both as
published and the balance, with either loss, with Adam's b1 of 0.5, without the balance.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae_gan')
    config.data.categories = 'Smileys & Emotion'
    config.data.flip = True
    config.method.augment = 'color,translation,cutout'
    config.method.ema_decay = 0.998
    config.optimizer.b1 = 0.5
    config.train.steps = 2000
    return default.with_variant(config, variant, small=SMALL)


SMALL = {
    'data.batch_size': 32,
    'model.width': 32,
    'train.steps': 2000,
    'train.image_steps': 100,
    'train.checkpoint_steps': 500,
}
