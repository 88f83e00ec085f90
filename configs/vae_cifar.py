"""Convolutional VAE on CIFAR-10, discretised logistic mixture of 10.

python launch.py --config=configs/vae_cifar.py          for a GPU: 200 epochs
python launch.py --config=configs/vae_cifar.py:small    two CPU cores

Published: 4.51 bits/dim for a comparable convolutional VAE (van den Oord et al. 2017,
arXiv:1711.00937). Ours: docs/results/vae.md.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae')
    config.data.name = 'cifar10'
    config.data.batch_size = 128
    config.data.flip = True
    config.method.likelihood = 'logistic_mixture'
    config.method.beta_warmup_steps = 2000
    config.model.width = 128
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.optimizer.clip_norm = 1000.0
    config.train.steps = 78_000
    config.train.best_metric = 'max:eval/elbo'
    small = {'model.width': 32, 'train.steps': 3000, 'method.beta_warmup_steps': 300}
    return default.with_variant(config, variant, small=small)
