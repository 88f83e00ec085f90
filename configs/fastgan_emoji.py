"""FastGAN on all emoji by category: a GAN for few pictures and little time. Liu et al.
2021, arXiv:2101.04775; by class, at 32 pixels, which is ours.

python launch.py --config=configs/fastgan_emoji.py
python launch.py --mode=sample --workdir=runs/fastgan_emoji --class='Food & Drink'

--config.data.name=folder:PATH draws your own pictures, by subfolder;
--config.model.generator=fastgan --config.model.discriminator=fastgan those without.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'emoji'
    config.data.flip = True
    config.model.generator = 'fastgan_class'
    config.model.discriminator = 'fastgan_class'
    config.model.width = 32
    config.method.loss = 'margin_hinge'
    config.method.augment = 'color,translation'
    config.optimizer.b1 = 0.5
    config.train.steps = 5000
    config.train.num_samples = 80
    return default.with_variant(config, variant, tiny={'model.latent_dim': 8})
