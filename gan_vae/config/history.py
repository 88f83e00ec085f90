"""Keys that configs of earlier versions have, and what became of them.

Version 0.1 had one flat section `method` and one flat section `model` for all methods:
a config.json of it holds the keys of every method. Those of other methods fall away.
"""

from collections.abc import Collection
from typing import Any

OF_0_1 = frozenset(
    f'{section}.{key}'
    for section, keys in {
        'model': 'generator discriminator encoder decoder transform width latent_dim '
        'hidden latent code_categories code_continuous stochastic_layers dropout '
        'encoder_blocks decoder_blocks',
        'method': 'loss critic_steps penalty penalty_weight penalty_interval '
        'clip_weights consistency consistency_weight zcr_noise '
        'zcr_discriminator_weight zcr_generator_weight lecam_weight lecam_decay '
        'lecam_start_step orthogonal_weight class_weight class_of_fake '
        'category_weight continuous_weight sampling_statistics augment likelihood '
        'mixtures likelihood_scale bound bound_samples beta beta_warmup_steps '
        'beta_begin sample_steps conditional free_bits capacity capacity_weight '
        'capacity_steps disentangle disentangle_weight dip_diagonal factor_width '
        'reconstruction_weight balance_margin balance_equilibrium style style_size '
        'style_features style_weight variation_weight ema_decay ema_ramp '
        'ema_half_life ema_rampup ema_start_step',
    }.items()
    for key in keys.split()
)

# one key of 0.1 -> the keys of today, by what it weighed
_PENALTY = {'wgan_gp': 'penalty_lambda', 'dragan': 'penalty_lambda'}
_DISENTANGLE = {
    'beta_tc': 'tc_weight',
    'factor': 'factor_gamma',
    'dip_i': 'dip_lambda',
    'dip_ii': 'dip_lambda',
}


def renew(stored: dict[str, Any], known: Collection[str]):
    """Gives the keys of earlier versions their names of today, and drops those of
    other methods; `known`: the keys that the run's method has."""
    if gamma := stored.pop('method.r1_gamma', 0.0):
        stored |= {'method.penalty': 'r1', 'method.penalty_weight': gamma}
    if stored.get('method.name') == 'gan' and 'method.beta' in stored:
        stored.pop('method.reconstruction_weight', None)  # of 0.1: that of vae_gan
    for old, names in (
        ('penalty', _PENALTY | dict.fromkeys(('r1', 'r2', 'r1_r2'), 'penalty_gamma')),
        ('disentangle', _DISENTANGLE),
    ):
        weight = stored.pop(f'method.{old}_weight', None)
        if weight is not None and stored.get(f'method.{old}') in names:
            stored.setdefault(f'method.{names[stored[f"method.{old}"]]}', weight)
    for key in OF_0_1 & stored.keys() - set(known):
        del stored[key]
