"""Projected GAN on all emoji by category. Sauer et al. 2021, arXiv:2111.01007; by class
and at 32 pixels, with FastGAN's smaller generator, which is ours.

python launch.py --config=configs/projected_gan_emoji.py         a GPU: D sees 224 px
python launch.py --config=configs/projected_gan_emoji.py:small   two CPU cores: 64 px
python -m gan_vae.evaluation runs/projected_gan_emoji-small --metrics=swd,fd_random

D sees images through EfficientNet-Lite0 (extra `perceptual`), and so the distance
fd_efficientnet_lite0 says nothing of these samples: cards flag it. Published: pictures
of 256 pixels, FID by Inception, 27.96 on 1,000 paintings; not run here.
--config.data.name=folder:PATH draws your own pictures, by subfolder.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'emoji'
    config.data.flip = True
    config.model.generator = 'projected_lite_class'
    config.model.discriminator = 'projected_class'
    config.model.width = 64
    config.model.latent_dim = 256
    config.method.loss = 'hinge'
    config.method.augment = 'color,translation,small_cutout'
    config.method.ema_half_life = 20e3
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.99
    # the authors' optimiser of D is that of a lazy penalty, of which there is none
    config.optimizer.discriminator_learning_rate = 2e-4 * 16 / 17
    config.optimizer.discriminator_b2 = 0.99 ** (16 / 17)
    config.train.steps = 12_500
    config.train.num_samples = 80
    return default.with_variant(config, variant, small=SMALL, tiny=TINY)


SMALL = {
    'data.batch_size': 16,
    'model.width': 32,
    'model.latent_dim': 128,
    'model.projection_size': 64,
    'train.steps': 5000,
}
TINY = {'model.projection_size': 32}
