"""SNGAN on CIFAR-10 by class, with a projection discriminator. Miyato & Koyama 2018,
arXiv:1802.05637; recipe of the CIFAR-10 benchmarks (Kang et al. 2022, StudioGAN,
arXiv:2206.09479).

python launch.py --config=configs/sngan_projection_cifar.py         for a GPU: 100k
python launch.py --config=configs/sngan_projection_cifar.py:small   two CPU cores: 2k
python launch.py --mode=sample --workdir=runs/sngan_projection_cifar --class=horse

Published: FID 9.01, IS 8.83 at the best checkpoint, 50k samples against the 50k
training images, TF Inception. Earlier logs of the same project, 10k samples against the
10k test images: 13.25 at the best, 13.44 at the end, 564 min on one GPU. Not run here
at full size.
"""

from configs import default, sngan_cifar


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'cifar10'
    config.data.flip = True
    config.model.generator = 'resnet_class'
    config.model.discriminator = 'sngan_projection'
    config.model.width = 64  # 256 channels in G, 128 in D
    config.method.loss = 'hinge'
    config.method.critic_steps = 5
    config.method.ema_decay = 0.0
    config.optimizer.b1 = 0.5
    config.optimizer.eps = 1e-6
    config.train.steps = 100_000
    config.train.num_samples = 100
    config.train.checkpoint_steps = 2000
    config.train.keep_every_steps = 10_000
    return default.with_variant(config, variant, small=sngan_cifar.SMALL)
