"""DCGAN on the embedded emoji. Radford et al. 2015, arXiv:1511.06434."""

from configs import default


def get_config(variant=''):
    config = default.get_config()
    config.train.steps = 2000
    config.optimizer.b1 = 0.5
    config.method.augment = 'color,translation,cutout'
    return default.with_variant(config, variant)
