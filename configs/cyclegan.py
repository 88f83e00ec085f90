"""Picture to picture without pairs, there and back: critters to sprouts, or any sets.

python launch.py --config=configs/cyclegan.py
python launch.py --config=configs/cyclegan.py --config.data.name=unpaired:photos,art
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('cyclegan')
    config.data.name = 'unpaired:art:critters,art:sprouts'
    config.data.image_size = 64
    config.data.batch_size = 8
    config.data.flip = True
    config.model.width = 32
    config.model.discriminator_width = 32
    config.method.augment = 'translation'
    config.optimizer.learning_rate = 2e-4
    config.optimizer.b1 = 0.5
    config.eval.metrics = ''
    config.train.steps = 4000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    tiny = {'data.name': 'toy_pairs', 'data.image_size': 16}
    return default.with_variant(config, variant, tiny=tiny)
