"""DIP-VAE-II on toy_shapes: the covariance of the codes held at the identity.

Kumar et al. 2017, arXiv:1711.00848; all else is beta_vae_shapes. Weights are of the
study (Locatello et al. 2018, arXiv:1811.12359): 1 to 50, for variances as for the rest.

python launch.py --config=configs/dip_vae_shapes.py          300k steps
python launch.py --config=configs/dip_vae_shapes.py:small    two CPU cores
"""

from configs import beta_vae_shapes


def get_config(variant=''):
    config = beta_vae_shapes.get_config(variant)
    config.method.beta = 1.0
    config.method.disentangle = 'dip_ii'
    config.method.dip_lambda = 10.0
    config.method.dip_diagonal = 1.0
    return config
