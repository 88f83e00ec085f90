"""Discrete codes of drawings of four styles: finite scalar quantisation, 8x8 codes.

python launch.py --config=configs/vq_vae_art.py
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vq_vae')
    config.data.name = 'art'
    config.data.batch_size = 64
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.b2 = 0.99
    config.train.steps = 3000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    return default.with_variant(config, variant)
