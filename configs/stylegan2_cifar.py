"""StyleGAN2 with adaptive augmentation on CIFAR-10, 32x32, by class. Karras et al.
2019, arXiv:1912.04958; Karras et al. 2020, arXiv:2006.06676, whose settings for
CIFAR-10 these are.

python launch.py --config=configs/stylegan2_cifar.py          for a GPU: 100 M images
python launch.py --config=configs/stylegan2_cifar.py:uncond   the same, without classes
python launch.py --config=configs/stylegan2_cifar.py:small    two CPU cores: 5k steps
python launch.py --mode=sample --workdir=runs/stylegan2_cifar --truncation=0.7

Published: FID 2.42 and IS 10.14 by class, 2.92 and 9.83 without, best checkpoint, 50k
samples against the 50k training images, TF Inception. Their augmentation also scales,
turns by any angle and shifts by parts of a pixel, their arithmetic was half precision
in part, and each of two devices had its own groups of 32 images in D; here a lazy term
is a part of an update, not an update of its own. Not run here at full size.

:small has 1.4 M parameters in G and 2.4 M in D, and groups of 4.
"""

from configs import default

EVERY = 'flip,turn,shift,brightness,contrast,luma,hue,saturation'


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'cifar10'
    config.model.generator = 'stylegan2_class'
    config.model.discriminator = 'stylegan2_plain_class'
    config.model.width = 512  # and at all sizes
    config.model.latent_dim = 512
    config.model.mapping_layers = 2
    config.model.style_mixing = 0.0
    config.model.stddev_group = 32
    config.method.penalty = 'r1'
    config.method.penalty_gamma = 0.01
    config.method.penalty_interval = 16
    config.method.ada = EVERY
    config.method.ema_half_life = 500_000.0
    # G's rate has Adam's correction for a path length every 4 updates, as published,
    # though there is none.
    config.optimizer.learning_rate = 2e-3
    config.optimizer.discriminator_learning_rate = 2.5e-3
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.991992
    config.optimizer.discriminator_b2 = 0.99
    config.train.steps = 1_562_500
    config.train.num_samples = 100
    config.train.checkpoint_steps = 5000
    config.train.keep_every_steps = 100_000
    uncond = {
        'model.generator': 'stylegan2',
        'model.discriminator': 'stylegan2_plain',
    }
    return default.with_variant(config, variant, uncond=uncond, small=SMALL, tiny=TINY)


SMALL = {
    'model.width': 32,
    'model.channel_max': 256,
    'model.latent_dim': 128,
    'model.style_dim': 128,
    'model.class_layers': 2,
    'model.stddev_group': 4,
    'train.steps': 5000,
    'train.checkpoint_steps': 500,
    'train.keep_every_steps': 0,
}
TINY = {
    'model.style_dim': 8,
    'model.channel_max': 16,
    'model.class_layers': 1,
    'model.stddev_group': 4,
}
