"""Drawings by words: a transformer over 8x8 codes of drawings, on their captions.

python launch.py --config=configs/prompt_art.py               pretrained:prompt_art
python -m gan_vae.art sample --workdir=runs/prompt_art --prompt="a mint cactus"

The tokeniser learns in the first 4,000 steps, the transformer in the rest. `:masked` is
a masked transformer, which draws in eight passes and takes given codes anywhere; with
--config.train.init_from=runs/prompt_art --config.method.tokeniser_steps=0 it is of the
codes of that run.

--config.data.text=factors takes the factors of a drawing in place of its words.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('transformer')
    config.data.name = 'art:critters=8000+sprouts=8000'
    config.data.text = 'words'
    config.data.batch_size = 32
    config.model.dropout = 0.0
    config.method.condition = 'text'
    config.method.tokeniser_steps = 4000
    config.method.absolute_weight = 0.5
    config.method.guidance = 2.0
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.b2 = 0.99
    config.optimizer.warmup_steps = 100
    config.optimizer.clip_norm = 1.0
    config.train.steps = 7800
    config.train.image_steps = 1000
    config.train.checkpoint_steps = 500
    masked = {'method.name': 'masked_transformer'}
    tiny = {'data.text': 'factors'}
    return default.with_variant(config, variant, masked=masked, tiny=tiny)
