"""IWAE on dynamically binarised MNIST, one or two stochastic layers, K = 50.

Burda et al. 2016, arXiv:1509.00519: two tanh layers of 200, 50 latents, batches of 20,
Adam with a learning rate of 10^(-3 - i/7) for 3^i epochs, i from 0 to 7. Two stochastic
layers: 100 latents next to the pixels, and above them 50, by networks of 100.

python launch.py --config=configs/iwae_mnist.py         3,280 epochs
python launch.py --config=configs/iwae_mnist.py:vae     the same of the ELBO, K = 1
python launch.py --config=configs/iwae_mnist.py:two     two stochastic layers
python launch.py --config=configs/iwae_mnist.py:small       one CPU core: 45 epochs
python launch.py --config=configs/iwae_mnist.py:two_small   the same, two layers
python launch.py --config=configs/iwae_mnist.py:vae_small   one CPU core: 800 epochs
The bound of 50 samples costs 19 times the ELBO's time an image on a CPU: the shortest
way to it begins with --config.train.init_from=runs/iwae_mnist-vae_small.

Published (-log p of 5,000 samples, test set): 84.78 with K = 50, 86.76 the VAE; of two
stochastic layers 82.90 and 85.33. Theirs has b1 = 0.99 and second moments that begin at
1, and output biases that begin at the mean picture; ours Adam's own 0.9 and 0, and
biases 0.
"""

from configs import default

EPOCH = 3000  # steps


def get_config(variant=''):
    config = default.get_config('vae')
    config.data.name = 'mnist'
    config.data.image_size = 28
    config.data.channels = 1
    config.data.batch_size = 20
    config.data.binarize = 'dynamic'
    config.model.encoder = 'iwae'
    config.model.decoder = 'iwae'
    config.model.width = 200
    config.model.latent_dim = 50
    config.method.likelihood = 'bernoulli'
    config.method.bound = 'iwae'
    config.method.bound_samples = 50
    config.method.ema_decay = 0.0
    config.optimizer.learning_rate = 1e-3
    config.optimizer.eps = 1e-4
    config.optimizer.schedule = 'stages'
    config.train.steps = 3280 * EPOCH
    config.train.log_steps = EPOCH
    config.train.image_steps = 10 * EPOCH
    config.train.checkpoint_steps = 10 * EPOCH
    config.eval.metrics = 'latents'
    vae = {'method.bound': 'elbo', 'method.bound_samples': 1}
    two = {'method.name': 'stacked_vae', 'eval.metrics': 'iwae_50'}
    small = {
        'optimizer.schedule': 'cosine',
        'train.steps': 45 * EPOCH,
        'train.checkpoint_steps': 5 * EPOCH,
    }
    # batches of 100: five times the images a second of a core
    vae_small = vae | {
        'data.batch_size': 100,
        'optimizer.schedule': 'cosine',
        'train.steps': 160 * EPOCH,
    }
    return default.with_variant(
        config,
        variant,
        small=small,
        vae=vae,
        vae_small=vae_small,
        two=two,
        two_small=two | small,
    )
