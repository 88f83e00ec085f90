"""R3GAN on CIFAR-10 by class. Huang et al. 2025, arXiv:2501.05441.

python launch.py --config=configs/r3gan_cifar.py          for a GPU: 488k steps of 512
python launch.py --config=configs/r3gan_cifar.py:small    two CPU cores: 5k steps of 32

Rates, b2, gamma, the half-life of the averages and the probability of augmentation move
by half a cosine over the first 20 million images, then stay. Published: FID 1.96, 50k
samples against the 50k training images, after 250 million images. Not run here at full
size. Of their augmentation this lacks scalings, turns by any angle, shifts by parts of
a pixel, and cutout.

`:small`, which is ours, has 1.8 million parameters in each network, one block at each
resolution, and the penalty at every 8th update, 8 times as heavy, with the correction
of Adam of Karras et al. 2019, arXiv:1912.04958.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'cifar10'
    config.data.flip = True
    config.data.batch_size = 512
    config.model.generator = 'r3gan_class'
    config.model.discriminator = 'r3gan_class'
    config.model.width = 768
    config.model.latent_dim = 64
    config.method.loss = 'relativistic'
    config.method.penalty = 'r1_r2'
    config.method.penalty_gamma = 0.05
    config.method.penalty_gamma_end = 0.005
    config.method.ada = 'flip,turn,shift,brightness,contrast,luma,hue,saturation'
    config.method.ada_p_end = 0.55
    config.method.ema_half_life = 5e6
    config.method.ema_rampup = 0.0
    config.method.ema_grows = True
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.9
    config.optimizer.b2_end = 0.99
    config.optimizer.schedule = 'cosine'
    config.optimizer.schedule_steps = 20_000_000 // 512
    config.optimizer.learning_rate_floor = 0.25
    config.train.steps = 488_000
    config.train.num_samples = 100
    config.train.checkpoint_steps = 2000
    config.train.keep_every_steps = 50_000
    return default.with_variant(config, variant, small=SMALL, tiny=TINY)


SMALL = {
    'data.batch_size': 32,
    'model.widths': '512,256,64,32',
    'model.blocks': 1,
    'method.penalty_interval': 8,
    'method.ema_half_life': 20e3,
    'optimizer.schedule_steps': 0,
    'train.steps': 5000,
    'train.checkpoint_steps': 1000,
    'train.keep_every_steps': 0,
}
TINY = {'model.blocks': 1, 'optimizer.schedule_steps': 0}
