"""LSGAN on CIFAR-10, 32x32: DCGAN with least squares. Mao et al. 2016,
arXiv:1611.04076; recipe of the CIFAR-10 benchmarks (Kang et al. 2022, StudioGAN,
arXiv:2206.09479).

python launch.py --config=configs/lsgan_cifar.py         for a GPU: 200k steps
python launch.py --config=configs/lsgan_cifar.py:small   two CPU cores: 5k steps

Published: FID 40.22 at the best checkpoint, 50k samples against the 50k training
images, TF Inception. Earlier logs of the same project, 10k samples against the 10k test
images: 66.69 at 22k steps, 330.9 at 200k (it collapses), 277 min on one GPU. Not run
here at full size.
"""

from configs import dcgan_cifar


def get_config(variant=''):
    config = dcgan_cifar.get_config(variant)
    config.method.loss = 'least_squares'
    return config
