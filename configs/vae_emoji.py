"""Convolutional VAE on the embedded emoji."""

from configs import default


def get_config(variant=''):
    config = default.get_config()
    config.method.name = 'vae'
    return default.with_variant(config, variant)
