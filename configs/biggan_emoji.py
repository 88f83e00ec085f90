"""A small BigGAN on all emoji by category, with DiffAugment, since 1,300 pictures are
few. Brock et al. 2018, arXiv:1809.11096; Zhao et al. 2020, arXiv:2006.10738.

python launch.py --config=configs/biggan_emoji.py
python launch.py --mode=sample --workdir=runs/biggan_emoji --class='Food & Drink'

--config.data.name=folder:PATH draws your own pictures, by subfolder.
"""

from configs import biggan_cifar


def get_config(variant=''):
    config = biggan_cifar.get_config(variant or 'small')
    if variant != 'tiny':
        config.data.name = 'emoji'
        config.train.num_samples = 80
    config.method.augment = 'color,translation,cutout'
    return config
