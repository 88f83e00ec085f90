"""WGAN with DRAGAN's penalty on CIFAR-10, 32x32. Kodali et al. 2017, arXiv:1705.07215;
optimiser, penalty and lengths of the CIFAR-10 benchmarks (Kang et al. 2022, StudioGAN,
arXiv:2206.09479), on the DCGAN networks.

python launch.py --config=configs/wgan_dragan_cifar.py         for a GPU: 100k steps
python launch.py --config=configs/wgan_dragan_cifar.py:small   two CPU cores: 5k steps

Published: FID 34.69 at the best checkpoint, 50k samples against the 50k training
images, TF Inception, of the benchmark's ResNets: another network than this, so no
target of this file. No hardware time is stated. The critic has BatchNorm, as the
benchmark's has: its gradient is not of one image alone. Not run here at full size.
"""

from configs import dcgan_cifar


def get_config(variant=''):
    config = dcgan_cifar.get_config(variant)
    config.method.loss = 'wasserstein'
    config.method.critic_steps = 2 if variant else 5
    config.method.penalty = 'dragan'
    config.method.penalty_lambda = 10.0
    if not variant:
        config.train.steps = 100_000
    return config
