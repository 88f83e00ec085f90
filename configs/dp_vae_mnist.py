"""A VAE of MNIST by digit with differential privacy: epsilon 10 at delta 1e-5.

python launch.py --config=configs/dp_vae_mnist.py
gan_vae evaluate --workdir=runs/dp_vae_mnist --metrics=cas,membership

DP-SGD: Abadi et al. 2016, arXiv:1607.00133. Small networks, as the norm of the noise
grows with the root of their size. Needs the extra `privacy`. What was measured, and
beside what: docs/results/privacy.md.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae')
    config.data.name = 'mnist'
    config.data.image_size = 28
    config.data.channels = 1
    config.data.batch_size = 512
    config.data.binarize = 'dynamic'
    config.model.encoder = 'mlp'
    config.model.decoder = 'mlp'
    config.model.width = 100
    config.model.latent_dim = 10
    config.method.likelihood = 'bernoulli'
    config.method.conditional = True
    config.optimizer.learning_rate = 2e-3
    config.privacy.noise_multiplier = 0.54
    config.privacy.clip_norm = 1.0
    config.train.steps = 1200
    config.train.log_steps = 50
    config.train.image_steps = 400
    config.train.checkpoint_steps = 400
    config.eval.every_steps = 400
    config.eval.reference = 'test'
    config.eval.num_samples = 10_000
    tiny = {'privacy.noise_multiplier': 20.0}
    return default.with_variant(config, variant, tiny=tiny)
