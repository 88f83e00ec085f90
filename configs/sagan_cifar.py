"""SAGAN on CIFAR-10 by class: self-attention at 16 px, spectral normalisation in G too.
Zhang et al. 2018, arXiv:1805.08318; recipe of the CIFAR-10 benchmarks (Kang et al.
2022, StudioGAN, arXiv:2206.09479).

python launch.py --config=configs/sagan_cifar.py          for a GPU: 100k steps
python launch.py --config=configs/sagan_cifar.py:small    two CPU cores: 2k steps

Published: FID 10.35, IS 8.64 at the best checkpoint, 50k samples against the 50k
training images, TF Inception. Earlier logs of the same project, 10k samples against the
10k test images: 14.01 at the best, 15.02 at the end, 562 min on one GPU. Not run here
at full size.
"""

from configs import sngan_projection_cifar


def get_config(variant=''):
    config = sngan_projection_cifar.get_config(variant)
    config.model.generator = 'sagan'
    config.model.discriminator = 'sagan'
    return config
