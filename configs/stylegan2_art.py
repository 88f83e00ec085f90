"""A small StyleGAN2 with adaptive augmentation on four sets of drawn pictures, 64x64,
by set, for two CPU cores. Karras et al. 2019, arXiv:1912.04958; Karras et al. 2020,
arXiv:2006.06676.

python launch.py --config=configs/stylegan2_art.py
python launch.py --mode=sample --workdir=runs/stylegan2_art --class=planets
python -m gan_vae.art mix 3 8 5 9 --rows=2 --workdir=runs/stylegan2_art

Pictures are few, and many have hard edges: what is turned and shifted is whole pixels.
G has 1.4 M parameters and D 2.3 M. The weight of R1 is the authors' rule for their
automatic settings, 0.0002 x 64^2 pixels / 32 images.

--config.data.name=folder:PATH draws your own pictures, by subfolder.
"""

from configs import stylegan2_cifar


def get_config(variant=''):
    config = stylegan2_cifar.get_config(variant or 'small')
    if variant != 'tiny':
        config.data.name = 'art:critters+landscape+planets+sprouts'
        config.data.image_size = 64
        config.model.width = 16
    config.model.discriminator = 'stylegan2_class'
    config.model.style_mixing = 0.9
    config.data.batch_size = min(config.data.batch_size, 32)
    config.method.penalty_gamma = 0.0256
    config.method.ema_half_life = 10_000.0
    config.optimizer.learning_rate = 2.5e-3
    config.optimizer.b2 = 0.99
    if variant != 'tiny':
        config.train.steps = 10_000
        config.train.num_samples = 64
    return config
