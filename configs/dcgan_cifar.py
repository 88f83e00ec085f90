"""DCGAN on CIFAR-10, 32x32. Recipe of the CIFAR-10 benchmarks (`deep_conv`: Kang et al.
2022, StudioGAN, arXiv:2206.09479) for Radford et al. 2015, arXiv:1511.06434.

python launch.py --config=configs/dcgan_cifar.py          for a GPU: 200k steps
python launch.py --config=configs/dcgan_cifar.py:small    two CPU cores: 5k steps

`:small` has the networks of Radford et al. (`dcgan`): in the benchmarks' D a BatchNorm
follows the first convolution too, and at this size it told all real batches from
generated ones, and G collapsed (docs/results/gan.md).

Published: FID 48.29 at the best checkpoint (about 40k steps; the same runs collapse
later), 50k samples against the 50k training images, TF Inception. Not run here at full
size; what `:small` gave is in docs/results/gan.md.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'cifar10'
    config.data.flip = True
    config.model.generator = 'deep_conv'
    config.model.discriminator = 'deep_conv'
    config.method.critic_steps = 2
    config.method.ema_decay = 0.0
    config.optimizer.b1 = 0.5
    config.optimizer.eps = 1e-6
    config.train.steps = 200_000
    config.train.checkpoint_steps = 2000
    config.train.keep_every_steps = 10_000
    small = {
        'model.generator': 'dcgan',
        'model.discriminator': 'dcgan',
        'model.width': 32,
        'method.critic_steps': 1,
        'method.ema_decay': 0.999,
        'train.steps': 5000,
        'train.checkpoint_steps': 1000,
        'train.keep_every_steps': 0,
    }
    return default.with_variant(config, variant, small=small)
