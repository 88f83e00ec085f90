"""Which disentangling VAE separates the factors of toy_shapes?

python launch.py --mode=sweep --sweep=experiments/disentanglement.py --seeds=3

Every point is a config as `:small`, given as what it changes of beta_vae_shapes. The
posterior means of the test split are measured. DCI and SAP need the extra `metrics`.
"""

from pathlib import Path

from gan_vae import config as config_lib

CONFIG = 'configs/beta_vae_shapes.py:small'
METRIC = ('eval/mig', 'max', 'final')
NAMES = ('beta_vae_shapes', 'factor_vae_shapes', 'beta_tc_vae_shapes')
SHARED = {'eval.metrics': 'mig,dci,sap,pairs,latents'}


def sweep(add):
    folder = Path(__file__).resolve().parents[1] / 'configs'
    own = ('method.', 'model.', 'optimizer.')
    recipes = [
        config_lib.flatten(config_lib.load(f'{folder}/{name}.py:small'))
        for name in NAMES
    ]
    for recipe in recipes:
        changed = {
            key: value
            for key, value in recipe.items()
            if key.startswith(own) and value != recipes[0].get(key)
        }
        add(changed | SHARED)
