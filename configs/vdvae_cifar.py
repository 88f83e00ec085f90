"""Very deep VAE on CIFAR-10, with 43 groups of latents and 39 million parameters.

python launch.py --config=configs/vdvae_cifar.py         GPUs: theirs, 6 days of two
python launch.py --config=configs/vdvae_cifar.py:small   two CPU cores: 0.2 million

Published: 2.87 bits/dim, the ELBO of one z on the test set, averaged weights; mean of
four runs (2.84 to 2.90) stopped by 5,000 images held out of training, after 650,000 to
1,050,000 steps; Child 2021, arXiv:2011.10650. Theirs skips updates with a norm above
400, which can stop a run for good: ours is relative to the last norms.
"""

from configs import default

SMALL = {
    'data.batch_size': 32,
    'model.width': 48,
    'model.latent_dim': 8,
    'model.encoder_blocks': '32d2,16x1,16d2,8x2,8d8,1x1',
    'model.decoder_blocks': '1x1,8m1,8x3,16m8,16x2,32m16',
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
    config = default.get_config('hierarchical_vae')
    config.data.name = 'cifar10'
    config.data.split = 'train[:45000]'
    config.data.batch_size = 32
    config.method.likelihood = 'logistic_mixture'
    config.method.ema_decay = 0.9999
    config.model.width = 384
    config.model.latent_dim = 16
    config.model.encoder_blocks = '32x11,32d2,16x6,16d2,8x6,8d2,4x3,4d4,1x3'
    config.model.decoder_blocks = '1x1,4m1,4x2,8m4,8x5,16m8,16x10,32m16,32x21'
    config.optimizer.b2 = 0.9
    config.optimizer.weight_decay = 0.01
    config.optimizer.warmup_steps = 100
    config.optimizer.clip_norm = 200.0 * 3072  # theirs is of nats a dimension
    config.optimizer.skip_ratio = 3.0
    config.train.steps = 1_000_000
    config.eval.metrics = 'iwae_1'
    return default.with_variant(config, variant, small=SMALL, tiny=TINY)
