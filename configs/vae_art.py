"""VAE by class on drawings of four styles, Gaussian likelihood with a learned scale.

python launch.py --config=configs/vae_art.py
python launch.py --config=configs/vae_art.py:px64       pretrained:art_vae
python -m gan_vae.art project face.png --workdir=runs/vae_art

The KL has 1.2 times its weight (Higgins et al. 2017, beta-VAE), and samples are of a
flow that is fitted to the codes of the drawings, by class.

--config.data.name=folder:PATH takes your own pictures, by subfolder.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vae')
    config.data.name = 'art'
    config.data.batch_size = 64
    config.model.width = 48
    config.model.latent_dim = 64
    config.method.likelihood = 'gaussian'
    config.method.conditional = True
    config.method.beta = 1.2
    config.method.prior = 'flow'
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.train.steps = 6400
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    px64 = {
        'data.image_size': 64,
        'model.width': 32,
        'model.latent_dim': 96,
        'method.beta': 8.0,
        'train.steps': 6500,
    }
    return default.with_variant(config, variant, px64=px64)
