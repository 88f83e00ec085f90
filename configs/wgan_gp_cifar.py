"""WGAN-GP on CIFAR-10, 32x32. Gulrajani et al. 2017, arXiv:1704.00028; lengths and
rates of the torch-mimicry benchmark (Lee & Town 2020, arXiv:2005.02494).

python launch.py --config=configs/wgan_gp_cifar.py          for a GPU: 100k steps
python launch.py --config=configs/wgan_gp_cifar.py:small    two CPU cores: 2k steps

Published by the benchmark: FID 22.29 +- 0.06, IS 7.33, final weights, 50k samples
against the 50k training images, TF Inception. The critic has no normalisation: with
BatchNorm the gradient is not of one image alone (StudioGAN's 53.98 is of such a one).
No hardware time is stated. Not run here at full size.
"""

from configs import sngan_cifar


def get_config(variant=''):
    config = sngan_cifar.get_config(variant)
    config.model.discriminator = 'resnet'
    config.method.loss = 'wasserstein'
    config.method.penalty = 'wgan_gp'
    config.method.penalty_lambda = 10.0
    return config
