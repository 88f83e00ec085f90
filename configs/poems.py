"""Tang poems of four forms, by characters: a transformer of 3 million parameters.

python -m gan_vae.data.prepare poems
python launch.py --config=configs/poems.py
python -m gan_vae.art write --workdir=runs/poems --form=7x4 --begin=春

--config.data.name=text:FILE takes a text file of your own.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('text_transformer')
    config.data.name = 'poems'
    config.data.eval_split = 'validation'
    config.data.batch_size = 64
    config.model.dropout = 0.2
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.b2 = 0.99
    config.optimizer.warmup_steps = 100
    config.optimizer.clip_norm = 1.0
    config.optimizer.weight_decay = 0.05
    config.eval.metrics = ''
    config.train.steps = 6000
    config.train.image_steps = 1000
    config.train.checkpoint_steps = 500
    tiny = {'data.name': 'toy_text'}
    return default.with_variant(config, variant, tiny=tiny)
