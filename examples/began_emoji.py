"""BEGAN on the embedded emoji faces: the config of examples/began.py.

python launch.py --config=examples/began_emoji.py
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('examples.began')
    config.data.categories = 'Smileys & Emotion'
    config.data.flip = True
    config.data.batch_size = 16
    config.model.width = 32
    config.optimizer.learning_rate = 1e-4
    config.optimizer.b1 = 0.5
    config.train.steps = 4000
    config.train.best_metric = 'min:eval/convergence'
    return default.with_variant(config, variant)
