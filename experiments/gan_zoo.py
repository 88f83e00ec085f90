"""Which GAN learns CIFAR-10 fastest per update? The `:small` configs, one recipe.

python launch.py --mode=sweep --sweep=experiments/gan_zoo.py --config.train.steps=888

Every point is a config of configs/ as `:small`, given as what it changes of
dcgan_cifar. All see CIFAR-10 at 32 pixels, mirrored, in batches of 32, without
DiffAugment, and average their weights alike.
"""

from pathlib import Path

from gan_vae import config as config_lib

CONFIG = 'configs/dcgan_cifar.py:small'
METRIC = ('eval/swd', 'min', 'best')
NAMES = (
    'dcgan_cifar',
    'lsgan_cifar',
    'wgan_gp_cifar',
    'sngan_cifar',
    'sagan_cifar',
    'biggan_cifar',
    'infogan_mnist',
)
SHARED = {
    'data.name': 'cifar10',
    'data.image_size': 32,
    'data.channels': 3,
    'data.batch_size': 32,
    'data.flip': True,
    'method.augment': '',
    'method.ema_decay': 0.998,
    'optimizer.schedule': 'constant',
    'eval.metrics': 'swd',
    'eval.num_samples': 500,
}


def sweep(add):
    folder = Path(__file__).resolve().parents[1] / 'configs'
    own = ('method.', 'model.', 'optimizer.')
    recipes = [
        config_lib.flatten(config_lib.load(f'{folder}/{name}.py:small'))
        for name in NAMES
    ]
    for recipe in recipes:
        changed = {
            key: value
            for key, value in recipe.items()
            if key.startswith(own) and value != recipes[0].get(key)
        }
        add(changed | SHARED)
