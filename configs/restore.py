"""Restores damaged pictures of any kind: noise, blur, JPEG, small, holes, scratches.

python launch.py --config=configs/restore.py --config.data.name=crops:$HOME/pictures
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('restore')
    config.data.name = 'crops:pictures'
    config.data.image_size = 48
    config.data.batch_size = 16
    config.data.flip = True
    config.method.ema_decay = 0.999
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.b2 = 0.99
    config.optimizer.warmup_steps = 100
    config.optimizer.clip_norm = 1.0
    config.eval.metrics = ''
    config.train.steps = 10_000
    config.train.image_steps = 1000
    config.train.checkpoint_steps = 500
    return default.with_variant(config, variant, tiny={'data.image_size': 16})
