"""Discrete codes of drawings whose edges a discriminator keeps sharp.

python launch.py --config=configs/vqgan_art.py

Esser et al. 2020, arXiv:2012.09841, in a small form: finite scalar quantisation, 8x8
codes of 1,000, and for the distance of features a network that was never trained.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vqgan')
    config.data.name = 'art'
    config.data.batch_size = 32
    config.model.discriminator_width = 32
    config.method.absolute_weight = 0.5
    config.optimizer.learning_rate = 5e-4
    config.optimizer.schedule = 'cosine'
    config.optimizer.b1 = 0.5
    config.optimizer.b2 = 0.9
    config.train.steps = 4000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    return default.with_variant(config, variant)
