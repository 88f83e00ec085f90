"""VQ-VAE of CIFAR-10 as in the example of Sonnet: 512 codes, moving averages.

python launch.py --config=configs/vq_vae_cifar.py

Van den Oord et al. 2017, arXiv:1711.00937. The example's error is over the variance of
the data, 0.253 for images in [-1, 1]: so is the weight of its commitment, 0.25, here.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vq_vae')
    config.data.name = 'cifar10'
    config.data.batch_size = 32
    config.model.encoder = 'vq_vae'
    config.model.decoder = 'vq_vae'
    config.method.quantiser = 'ema_vq'
    config.method.codes = 512
    config.method.code_dim = 64
    config.method.commitment = 0.0633
    config.method.ema_decay = 0.0
    config.optimizer.learning_rate = 3e-4
    config.train.steps = 10_000
    return default.with_variant(config, variant)
