"""FactorVAE on toy_shapes: a discriminator tells the total correlation of the codes.

Kim & Mnih 2018, arXiv:1802.05983; all else is beta_vae_shapes.

python launch.py --config=configs/factor_vae_shapes.py          300k steps
python launch.py --config=configs/factor_vae_shapes.py:small    two CPU cores

gamma is one of those of the study (Locatello et al. 2018, arXiv:1811.12359: 10 to 100),
its discriminator of six layers of 1,000 learns with Adam (0.5, 0.9) at 1e-4. It sees
two halves of one batch where the paper draws two batches.
"""

from configs import beta_vae_shapes


def get_config(variant=''):
    config = beta_vae_shapes.get_config(variant)
    config.method.beta = 1.0
    config.method.disentangle = 'factor'
    config.method.factor_gamma = 10.0
    config.optimizer.discriminator_learning_rate = 1e-4
    config.optimizer.discriminator_b1 = 0.5
    config.optimizer.discriminator_b2 = 0.9
    if variant in ('small', 'tiny'):
        config.method.factor_width = {'small': 256, 'tiny': 16}[variant]
    return config
