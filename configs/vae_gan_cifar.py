"""VAE-GAN on CIFAR-10. Larsen et al. 2016, arXiv:1512.09300; networks, batches, latents
and number of updates of the authors' code for CIFAR-10.

python launch.py --config=configs/vae_gan_cifar.py          for a GPU: 37.5k steps
python launch.py --config=configs/vae_gan_cifar.py:small    two CPU cores: 5k steps

Published: no figure for CIFAR-10 (of CelebA at 64 pixels, pictures and attributes). Not
run here but as `:tiny`. As published: RMSProp at 3e-4 (Adam with b1 = 0; b2 is not);
the balance of that code. Not as there: gamma, since Dis_l is after BatchNorm here, and
G's loss, which does not saturate; the paper's is --config.method.loss=saturating.
`:small` has a slow D: on all emoji, without DiffAugment, G did not collapse with it.
"""

from configs import default, vae_gan_emoji


def get_config(variant=''):
    config = vae_gan_emoji.get_config()
    config.data.name = 'cifar10'
    config.data.categories = ''
    config.method.augment = ''
    config.method.ema_decay = 0.999
    config.method.reconstruction_weight = (
        2.5e-3  # as heavy as 1e-2 of a quarter's width
    )
    config.method.balance_margin = 0.35
    config.optimizer.learning_rate = 3e-4
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.9
    config.train.steps = 37_500
    small = vae_gan_emoji.SMALL | {
        'model.width': 16,
        'method.reconstruction_weight': 1e-2,
        'method.balance_margin': 0.0,
        'optimizer.discriminator_learning_rate': 3e-5,
        'optimizer.b1': 0.5,
        'optimizer.b2': 0.999,
        'train.steps': 5000,
        'train.image_steps': 500,
        'train.checkpoint_steps': 1000,
    }
    return default.with_variant(config, variant, small=small)
