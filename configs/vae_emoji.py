"""Convolutional VAE on the embedded emoji, Gaussian likelihood with a learned scale.

python launch.py --config=configs/vae_emoji.py
python launch.py --config=configs/vae_emoji.py:pocket       pretrained:emoji_vae
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae')
    config.method.likelihood = 'gaussian'
    config.data.flip = True
    config.data.shift = 2
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.train.steps = 4000
    # the 130 faces; a KL of twelve times its weight, or samples are smudges
    pocket = {
        'data.categories': 'Smileys & Emotion',
        'method.beta': 12.0,
        'model.width': 32,
        'model.latent_dim': 64,
    }
    return default.with_variant(config, variant, pocket=pocket)
