"""The small very deep VAE of vdvae_cifar on the embedded emoji.

python launch.py --config=configs/vdvae_emoji.py
"""

from configs import default, vdvae_cifar


def get_config(variant=''):
    config = vdvae_cifar.get_config('small')
    config.data.name = 'emoji'
    config.data.split = 'train'
    config.data.flip = True
    config.data.shift = 2
    config.train.steps = 4000
    config.eval.metrics = 'swd'
    return default.with_variant(config, variant, tiny=vdvae_cifar.TINY)
