"""Geometric GAN on CIFAR-10, 32x32: DCGAN with the hinge loss. Lim & Ye 2017,
arXiv:1705.02894; recipe of the CIFAR-10 benchmarks (Kang et al. 2022, StudioGAN,
arXiv:2206.09479).

python launch.py --config=configs/ggan_cifar.py         for a GPU: 200k steps
python launch.py --config=configs/ggan_cifar.py:small   two CPU cores: 5k steps

Published: FID 43.16 at the best checkpoint, 50k samples against the 50k training
images, TF Inception. Earlier logs of the same project, 10k samples against the 10k test
images: 42.7 at 46k steps, 128.8 at 200k (it collapses); no hardware time is stated. Not
run here at full size.
"""

from configs import dcgan_cifar


def get_config(variant=''):
    config = dcgan_cifar.get_config(variant)
    config.method.loss = 'hinge'
    return config
