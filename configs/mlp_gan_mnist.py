"""The first GAN on MNIST: fully connected, 100-256-512-1024-784, dropout in D.

python launch.py --config=configs/mlp_gan_mnist.py

Goodfellow et al. 2014, arXiv:1406.2661, with Adam and LeakyReLU, as it is taught today.
No published number with a protocol; what it draws is in docs/results/gan.md.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'mnist'
    config.data.image_size = 28
    config.data.channels = 1
    config.data.batch_size = 128
    config.model.generator = 'mlp'
    config.model.discriminator = 'mlp'
    config.model.width = 256
    config.model.latent_dim = 100
    config.model.dropout = 0.3
    config.optimizer.b1 = 0.5
    config.train.steps = 8000
    config.train.log_steps = 200
    config.train.image_steps = 1000
    config.train.checkpoint_steps = 2000
    return default.with_variant(config, variant)
