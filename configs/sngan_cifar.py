"""SNGAN on CIFAR-10, 32x32, unconditional. Miyato et al. 2018, arXiv:1802.05957;
lengths and rates of the torch-mimicry benchmark (Lee & Town 2020, arXiv:2005.02494).

python launch.py --config=configs/sngan_cifar.py          for a GPU: 100k steps
python launch.py --config=configs/sngan_cifar.py:small    two CPU cores: 2k steps

Published by the benchmark: FID 16.77 +- 0.04, IS 7.97, final weights, 50k samples
against the 50k training images, TF Inception; by the authors 21.7 and 8.22 with 5k
samples. The benchmark interpolates where G doubles an image; here pixels are repeated,
as by the authors. No hardware time is stated. Not run here at full size.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'cifar10'
    config.model.generator = 'resnet'
    config.model.discriminator = 'sngan'
    config.model.width = 64  # 256 channels in G, 128 in D
    config.method.loss = 'hinge'
    config.method.critic_steps = 5
    config.method.ema_decay = 0.0
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.9
    config.optimizer.schedule = 'linear'
    config.train.steps = 100_000
    config.train.checkpoint_steps = 2000
    config.train.keep_every_steps = 10_000
    return default.with_variant(config, variant, small=SMALL)


SMALL = {
    'model.width': 16,
    'data.batch_size': 32,
    'method.critic_steps': 2,
    'method.ema_decay': 0.999,
    'train.steps': 2000,
    'train.checkpoint_steps': 500,
    'train.keep_every_steps': 0,
}
