"""WGAN on CIFAR-10, 32x32, by clipping the critic's weights to +-0.01. Arjovsky et al.
2017, arXiv:1701.07875; optimiser, clipping and lengths of the CIFAR-10 benchmarks (Kang
et al. 2022, StudioGAN, arXiv:2206.09479), on the DCGAN networks.

python launch.py --config=configs/wgan_cifar.py         for a GPU: 100k steps
python launch.py --config=configs/wgan_cifar.py:small   two CPU cores: 5k steps

Published: FID 107.68 at the best checkpoint, 50k samples against the 50k training
images, TF Inception, of the benchmark's ResNets: another network than this, so no
target of this file. No hardware time is stated. The paper's own optimiser is RMSProp
with rate 5e-5. Not run here at full size.
"""

from configs import dcgan_cifar


def get_config(variant=''):
    config = dcgan_cifar.get_config(variant)
    config.method.loss = 'wasserstein'
    config.method.critic_steps = 2 if variant else 5
    config.method.clip_weights = 0.01
    if not variant:
        config.train.steps = 100_000
    return config
