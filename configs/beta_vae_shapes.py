"""beta-VAE on toy_shapes, whose factors are known. Higgins et al. 2017; networks,
batches and learning rate of the study by Locatello et al. 2018, arXiv:1811.12359.

python launch.py --config=configs/beta_vae_shapes.py          as the study: 300k steps
python launch.py --config=configs/beta_vae_shapes.py:small    two CPU cores: 32 pixels

beta is one of the study's (1, 2, 4, 6, 8, 16). Its Bernoulli loss of grey values is no
likelihood: here it is a Gaussian of fixed scale 0.5 (of pixels in [-1, 1]), with which
the KL weighs about as much. Its figures are of other data; none is published for this.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae')
    config.data.name = 'toy_shapes'
    config.data.image_size = 64
    config.model.encoder = 'study'
    config.model.decoder = 'study'
    config.model.width = 32
    config.model.latent_dim = 10
    config.method.likelihood = 'gaussian_fixed'
    config.method.likelihood_scale = 0.5
    config.method.beta = 4.0
    config.optimizer.learning_rate = 1e-4
    config.train.steps = 300_000
    config.train.log_steps = 500
    config.train.image_steps = 10_000
    config.train.checkpoint_steps = 10_000
    config.eval.metrics = 'mig'
    small = {
        'data.image_size': 32,
        'optimizer.learning_rate': 5e-4,
        'train.steps': 6000,
        'train.image_steps': 1000,
        'train.checkpoint_steps': 2000,
    }
    return default.with_variant(config, variant, small=small)
