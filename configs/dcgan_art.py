"""DCGAN by class on drawings of four styles. Radford et al. 2015,
arXiv:1511.06434, with the classes, batches and augmentation of ours.

python launch.py --config=configs/dcgan_art.py
python launch.py --mode=sample --workdir=runs/dcgan_art --class=planets

The first run draws its own set (docs/guides/data.md). Others:
--config.data.name=art:moods+gaze+cutouts, and --config.data.name=folder:PATH for your
own pictures, by subfolder.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'art'
    config.data.batch_size = 32
    config.model.generator = 'dcgan_class'
    config.model.discriminator = 'dcgan_class'
    config.model.width = 48
    config.method.augment = 'translation'
    config.optimizer.b1 = 0.5
    config.train.steps = 8000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 1000
    return default.with_variant(config, variant)
