"""VAE-GAN on all emoji at 32 pixels."""

from configs import default


def get_config(variant=''):
    config = default.get_config()
    config.data.categories = 'Smileys & Emotion'
    config.data.flip = True
    config.method.name = 'vae_gan'
    config.method.reconstruction_weight = 1e-2
    config.method.balance_margin = 0.4
    config.model.encoder = 'vae_gan'
    config.model.generator = 'vae_gan'
    config.model.discriminator = 'vae_gan'
    config.optimizer.learning_rate = 3e-4
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.9
    config.train.steps = 20_000
    small = {
        'data.batch_size': 32,
        'model.width': 16,
        'train.steps': 2000,
        'train.log_steps': 50,
        'train.image_steps': 100,
        'train.checkpoint_steps': 500,
    }
    return default.with_variant(config, variant, small=small)
