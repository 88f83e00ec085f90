"""Restores damaged pictures sharply: detail is invented. It begins at a restore.

python launch.py --config=configs/restore_gan.py --config.train.init_from=runs/restore \
    --config.data.name=crops:$HOME/pictures
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('restore_gan')
    config.data.name = 'crops:pictures'
    config.data.image_size = 48
    config.data.batch_size = 16
    config.data.flip = True
    config.model.discriminator_width = 32
    config.optimizer.learning_rate = 1e-4
    config.optimizer.b2 = 0.99
    config.eval.metrics = ''
    config.train.steps = 4000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    return default.with_variant(config, variant, tiny={'data.image_size': 16})
