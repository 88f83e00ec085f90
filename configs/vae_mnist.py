"""The first VAE on dynamically binarised MNIST. Kingma & Welling 2013, arXiv:1312.6114.

python launch.py --config=configs/vae_mnist.py
python launch.py --config=configs/vae_mnist.py:classes   p(x | z, digit)

One hidden layer of 500, 20 latents: the networks of Flax's VAE example, whose test loss
is about 104 nats after 10 epochs (4,690 steps). Ours: docs/results/vae.md.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae')
    config.data.name = 'mnist'
    config.data.image_size = 28
    config.data.channels = 1
    config.data.batch_size = 128
    config.data.binarize = 'dynamic'
    config.model.encoder = 'mlp'
    config.model.decoder = 'mlp'
    config.model.width = 500
    config.model.latent_dim = 20
    config.method.likelihood = 'bernoulli'
    config.optimizer.learning_rate = 1e-3
    config.train.steps = 46_900
    config.train.log_steps = 469
    config.train.image_steps = 4690
    config.train.checkpoint_steps = 4690
    config.eval.every_steps = 4690
    classes = {'method.conditional': True}
    return default.with_variant(config, variant, classes=classes)
