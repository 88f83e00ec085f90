"""Very deep VAE on CIFAR-10, with 43 groups of latents and 39 million parameters.

python launch.py --config=configs/vdvae_cifar.py         for GPUs: 6 days of two V100s
python launch.py --config=configs/vdvae_cifar.py:small   two CPU cores

Published: 2.87 bits/dim, the ELBO of one z on the test set, weights averaged, of the
discretised logistic mixture; Child 2021, arXiv:2011.10650, table 4. Theirs skips
updates with a norm above 400, which can stop a run for good: ours is relative. Theirs
trains on 45,000 images, mirrored, and ours on 50,000.
"""

from configs import default

SMALL = {
    'data.batch_size': 32,
    'model.width': 64,
    'model.latent_dim': 8,
    'model.encoder_blocks': '32x1,32d2,16x2,16d2,8x2,8d8,1x1',
    'model.decoder_blocks': '1x1,8m1,8x2,16m8,16x2,32m16,32x1',
    'method.mixtures': 5,
    'method.ema_decay': 0.999,
    'optimizer.learning_rate': 1e-3,
    'train.steps': 20_000,
}
TINY = {
    'model.encoder_blocks': '32d4,8d8,1x1',
    'model.decoder_blocks': '1x1,8m1,32m8',
    'method.mixtures': 2,
}


def get_config(variant=''):
    config = default.get_config()
    config.data.name = 'cifar10'
    config.data.batch_size = 32
    config.data.flip = True
    config.method.name = 'hierarchical_vae'
    config.method.likelihood = 'logistic_mixture'
    config.method.ema_decay = 0.9999
    config.model.width = 384
    config.model.latent_dim = 16
    config.model.encoder_blocks = '32x11,32d2,16x6,16d2,8x6,8d2,4x3,4d4,1x3'
    config.model.decoder_blocks = '1x1,4m1,4x2,8m4,8x5,16m8,16x10,32m16,32x21'
    config.optimizer.b2 = 0.9
    config.optimizer.weight_decay = 0.01
    config.optimizer.warmup_steps = 100
    config.optimizer.clip_norm = 200.0
    config.optimizer.skip_ratio = 3.0
    config.train.steps = 1_100_000
    config.eval.metrics = 'iwae_1'
    config.train.best_metric = 'max:eval/elbo'
    return default.with_variant(config, variant, small=SMALL, tiny=TINY)
