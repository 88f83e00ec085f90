"""InfoGAN on all emoji: which kinds of picture does it tell apart by itself?
Chen et al. 2016, arXiv:1606.03657, with DiffAugment (Zhao et al. 2020,
arXiv:2006.10738).

python launch.py --config=configs/infogan_emoji.py
python -m gan_vae.art traversals --workdir=runs/infogan_emoji         what codes do

Without colour changes in DiffAugment, which would hide a code for colour from D.
--config.data.name=folder:PATH takes your own pictures.
"""

from configs import infogan_mnist


def get_config(variant=''):
    config = infogan_mnist.get_config(variant or 'small')
    config.data.channels = 3
    config.data.image_size = 32
    if variant != 'tiny':
        config.data.name = 'emoji'
    config.data.flip = True
    config.method.augment = 'translation,cutout'
    config.method.ema_decay = 0.998
    config.model.latent = 'normal'
    config.optimizer.learning_rate = 2e-4
    return config
