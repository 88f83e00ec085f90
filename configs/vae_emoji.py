"""Convolutional VAE on the embedded emoji, Gaussian likelihood with a learned scale.

python launch.py --config=configs/vae_emoji.py
"""

from configs import default


def get_config(variant=''):
    config = default.get_config()
    config.method.name = 'vae'
    config.method.likelihood = 'gaussian'
    config.data.flip = True
    config.data.shift = 2
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.train.steps = 4000
    return default.with_variant(config, variant)
