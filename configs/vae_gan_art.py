"""VAE-GAN on drawings of four styles: samples, and an encoder for pictures of your own.
Larsen et al. 2016, arXiv:1512.09300; with DCGAN's networks, which cost a quarter of the
paper's 5x5 convolutions.

python launch.py --config=configs/vae_gan_art.py            two CPU cores
python -m gan_vae.art project face.png --workdir=runs/vae_gan_art

--config.data.name=folder:PATH takes your own pictures.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae_gan')
    config.data.name = 'art'
    config.data.batch_size = 32
    config.model.encoder = 'dcgan'
    config.model.generator = 'dcgan_class'
    config.model.discriminator = 'dcgan_class'
    config.model.latent_dim = 64
    config.method.likeness = 'pixels'
    config.model.width = 48
    config.method.augment = 'translation'
    config.method.ema_decay = 0.999
    config.optimizer.learning_rate = 3e-4
    config.optimizer.b1 = 0.5
    config.train.steps = 8000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 1000
    return default.with_variant(config, variant)
