"""ACGAN on CIFAR-10, 32x32: D tells the class too. Odena et al. 2016, arXiv:1610.09585;
networks and lengths of the CIFAR-10 benchmarks (Kang et al. 2022, StudioGAN,
arXiv:2206.09479), whose D learns classes of real images alone.

python launch.py --config=configs/acgan_cifar.py          for a GPU: 100k steps
python launch.py --config=configs/acgan_cifar.py:small    two CPU cores: 2k steps

Published: FID 33.39, IS 7.19 ("ACGAN-mod") at the best checkpoint, 50k samples against
the 50k training images, TF Inception. Their D had BatchNorm, this one has spectral
normalisation, so it is no target of this file. Not run here at full size.
"""

from configs import sngan_projection_cifar


def get_config(variant=''):
    config = sngan_projection_cifar.get_config(variant)
    config.model.discriminator = 'acgan'
    config.method.class_of_fake = False
    return config
