"""InfoGAN on MNIST: a category and two numbers that it finds a meaning for by itself.
Chen et al. 2016, arXiv:1606.03657, appendix C.1: 62 noise variables, a code of 10
categories, two of U(-1, 1); rates of 1e-3 for G and 2e-4 for D.

python launch.py --config=configs/infogan_mnist.py          for a GPU: 50 epochs
python launch.py --config=configs/infogan_mnist.py:small    two CPU cores: 2k steps
python -m gan_vae.art traversals --workdir=runs/infogan_mnist-small   what codes do

Published: the category matches the digit with 5 % error, on no stated split. No FID and
no hardware time are published.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('gan')
    config.data.name = 'mnist'
    config.data.image_size = 28
    config.data.channels = 1
    config.data.batch_size = 128
    config.model.generator = 'infogan'
    config.model.discriminator = 'infogan'
    config.model.latent_dim = 62
    config.model.latent = 'uniform'
    config.model.code_categories = 10
    config.model.code_continuous = 2
    config.optimizer.learning_rate = 1e-3
    config.optimizer.discriminator_learning_rate = 2e-4
    config.optimizer.b1 = 0.5
    config.train.steps = 23_450
    return default.with_variant(config, variant, small=SMALL)


SMALL = {
    'model.width': 32,
    'data.batch_size': 64,
    'train.steps': 2000,
    'train.checkpoint_steps': 500,
}
