"""VAE-GAN on all embedded emoji: reconstructions by what D sees, and samples.
Larsen et al. 2016, arXiv:1512.09300; networks of the authors' code for 32 pixels.

python launch.py --config=configs/vae_gan_emoji.py          a GPU: 20k steps, not run
python launch.py --config=configs/vae_gan_emoji.py:small    one CPU core: a quarter of
                                                            the width, 2k steps, 14 min

Published: pictures of CelebA at 64 pixels, and no figure that this compares with.
`:small`: reconstructions of held-out emoji with their shape, samples of many shapes and
colours, none sharp. Not as published (RMSProp at 3e-4, that is b1 = 0; the saturating
loss). On 130 faces D won, and G drew one picture for all z that are of no image: with
both as published and the balance, with either loss, with Adam's b1 of 0.5, without the
balance (1.4k to 2k steps), and with this slow D (600). On all emoji it does not.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config()
    config.data.flip = True
    config.method.name = 'vae_gan'
    config.model.encoder = 'vae_gan'
    config.model.generator = 'vae_gan'
    config.model.discriminator = 'vae_gan'
    config.optimizer.learning_rate = 3e-4
    config.optimizer.discriminator_learning_rate = 3e-5
    config.optimizer.b1 = 0.5
    config.train.steps = 20_000
    return default.with_variant(config, variant, small=SMALL)


SMALL = {
    'data.batch_size': 32,
    'model.width': 16,
    'train.steps': 2000,
    'train.image_steps': 100,
    'train.checkpoint_steps': 500,
}
