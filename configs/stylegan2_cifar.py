"""StyleGAN2 on CIFAR-10, 32x32. Karras et al. 2019, arXiv:1912.04958, with the settings
that Karras et al. 2020, arXiv:2006.06676, tuned for CIFAR-10.

python launch.py --config=configs/stylegan2_cifar.py          for a GPU
python launch.py --config=configs/stylegan2_cifar.py:small    two CPU cores: 5k steps
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'cifar10'
    config.model.generator = 'stylegan2_class'
    config.model.discriminator = 'stylegan2_plain_class'
    config.model.width = 512  # at all sizes
    config.model.latent_dim = 512
    config.model.mapping_layers = 2
    config.model.style_mixing = 0.0
    config.model.stddev_group = 32
    config.method.penalty = 'r1'
    config.method.penalty_gamma = 0.01
    config.method.penalty_interval = 16
    config.method.ema_half_life = 500_000.0
    # G's rate is corrected by 4/5 as if there were a path length every 4 updates
    config.optimizer.learning_rate = 2e-3
    config.optimizer.discriminator_learning_rate = 2.5e-3
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.991992
    config.optimizer.discriminator_b2 = 0.99
    config.train.steps = 1_562_500  # 100 M images
    config.train.num_samples = 100
    config.train.checkpoint_steps = 5000
    config.train.keep_every_steps = 100_000
    return default.with_variant(config, variant, small=SMALL, tiny=TINY)


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
