"""beta-TC-VAE on toy_shapes: total correlation 6 times as heavy as the rest of the KL.

Chen et al. 2018, arXiv:1802.04942; all else is beta_vae_shapes.

python launch.py --config=configs/beta_tc_vae_shapes.py          300k steps
python launch.py --config=configs/beta_tc_vae_shapes.py:small    two CPU cores

The study (Locatello et al. 2018, arXiv:1811.12359) has beta of 1, 2, 4, 6, 8, 10, and
weights of the batch's aggregate that leave out the size of the set.
"""

from configs import beta_vae_shapes


def get_config(variant=''):
    config = beta_vae_shapes.get_config(variant)
    config.method.beta = 1.0
    config.method.disentangle = 'beta_tc'
    config.method.tc_weight = 5.0
    return config
