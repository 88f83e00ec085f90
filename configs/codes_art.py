"""Drawings of four styles by class: discrete codes, and a transformer over them.

python launch.py --config=configs/codes_art.py
python -m gan_vae.art sample --workdir=runs/codes_art --class=planets

The tokeniser learns in the first 2,200 steps, the transformer in the rest.

--config.data.name=folder:PATH takes your own pictures, by subfolder.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('transformer')
    config.data.name = 'art'
    config.data.batch_size = 32
    config.model.dropout = 0.0
    config.method.condition = 'class'
    config.method.tokeniser_steps = 2200
    config.method.absolute_weight = 0.5
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.b2 = 0.99
    config.optimizer.warmup_steps = 50
    config.optimizer.clip_norm = 1.0
    config.train.steps = 3100
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    return default.with_variant(config, variant)
