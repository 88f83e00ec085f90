"""Picture to picture, learned of pairs: line drawings of emoji to flat ones.

python -m gan_vae.data.prepare fluent
python launch.py --config=configs/pix2pix.py
python launch.py --config=configs/pix2pix.py --config.data.name=pairs:before,after
python launch.py --config=configs/pix2pix.py --config.data.name=pairs:labels,photos \
    --config.model.translator=spade
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('pix2pix')
    config.data.name = 'fluent:line>flat'
    config.data.image_size = 64
    config.data.batch_size = 16
    config.data.flip = True
    config.data.shift = 4
    config.model.width = 32
    config.model.discriminator_width = 32
    config.method.augment = 'translation,cutout'
    config.optimizer.learning_rate = 2e-4
    config.optimizer.b1 = 0.5
    config.data.eval_split = 'validation'
    config.eval.metrics = ''
    config.eval.every_steps = 250
    config.train.steps = 4000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 250
    config.train.best_metric = 'max:eval/psnr'
    config.train.patience = 8  # evaluations without a better one, then it ends
    tiny = {'data.name': 'toy_pairs', 'data.image_size': 16}
    return default.with_variant(config, variant, tiny=tiny)
