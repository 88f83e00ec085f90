"""Drawings by words in one pass: a deep-fusion GAN on their captions.

python launch.py --config=configs/df_gan_art.py
python -m gan_vae.art sample --workdir=runs/df_gan_art --prompt="a mint cactus"

Tao et al. 2020, arXiv:2008.05865, of half their width. The encoder of words, G's rate,
DiffAugment's translation and the interval of the penalty are ours.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'art:critters=8000+sprouts=8000'
    config.data.text = 'words'
    config.data.batch_size = 32
    config.model.generator = 'df_gan'
    config.model.discriminator = 'df_gan'
    config.model.width = 16
    config.model.latent_dim = 100
    config.method.loss = 'hinge'
    config.method.penalty = 'ma_gp'
    config.method.penalty_lambda = 2.0
    config.method.penalty_interval = 4
    config.method.wrong_pairs = 0.5
    config.method.augment = 'translation'
    config.optimizer.learning_rate = 2e-4
    config.optimizer.discriminator_learning_rate = 4e-4
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.9
    config.train.steps = 10_000
    config.train.image_steps = 1000
    config.train.checkpoint_steps = 1000
    return default.with_variant(
        config, variant, tiny={'data.text': 'factors', 'data.image_size': 8}
    )
