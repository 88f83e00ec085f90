"""VAE-GAN on the embedded emoji faces: reconstructions by what D sees, and samples.
Larsen et al. 2016, arXiv:1512.09300; networks of the authors' code for 32 pixels.

python launch.py --config=configs/vae_gan_emoji.py          for a GPU: 20k steps
python launch.py --config=configs/vae_gan_emoji.py:small    two CPU cores: a quarter of
                                                            the width, 2k steps

Published: pictures of CelebA at 64 pixels, and no figure that this compares with.
RMSProp at 3e-4, as there, is Adam with b1 = 0 (b2 is not published). Not as there: G's
loss, since with the saturating one D told all samples from images and G learned nothing
more of them (2k steps of `:small`), and the balance, of the authors' code alone.
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
