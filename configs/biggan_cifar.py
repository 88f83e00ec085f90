"""BigGAN on CIFAR-10 by class. Brock et al. 2018, arXiv:1809.11096; recipe of the
CIFAR-10 benchmarks (Kang et al. 2022, StudioGAN, arXiv:2206.09479).

python launch.py --config=configs/biggan_cifar.py          for a GPU: 100k steps
python launch.py --config=configs/biggan_cifar.py:small    two CPU cores: 2k steps
python launch.py --mode=sample --workdir=runs/biggan_cifar --class=ship --truncation=0.5

Published, best checkpoint, 50k samples against the 50k training images, TF Inception:
FID 4.16, IS 9.96. Earlier logs of the same project, 10k samples against the 10k test
images: 8.03 at the best, 8.13 at the end, 770 min on one GPU. Variants:
  :cr           consistency regularisation, FID 3.16 (Zhang et al. 2019, 1910.12027)
  :diffaugment  200k steps, FID 3.35 (Zhao et al. 2020, 2006.10738)
  :lecam        FID 3.23 (Tseng et al. 2021, 2104.03310)
Not run here at full size.
"""

from configs import default, sngan_cifar, sngan_projection_cifar


def get_config(variant=''):
    config = sngan_projection_cifar.get_config()
    config.model.generator = 'biggan'
    config.model.discriminator = 'biggan'
    config.model.width = 96  # 384 channels in G, 192 in D
    config.model.latent_dim = 80  # 20 for the bottom, 20 for each of 3 blocks
    config.method.ema_decay = 0.9999
    config.method.ema_ramp = False
    config.method.ema_start_step = 1000
    config.method.sampling_statistics = 'standing'
    return default.with_variant(
        config,
        variant,
        small=sngan_cifar.SMALL
        | {'method.ema_start_step': 100, 'method.ema_ramp': True},
        cr={'method.consistency': 'cr'},
        diffaugment={
            'method.augment': 'color,translation,cutout',
            'train.steps': 200_000,
        },
        lecam={'method.lecam_weight': 0.3},
    )
