"""Where a config begins: all keys of a run by one method, at their defaults.

A config changes what it needs and adds nothing: an unknown key is an error, and a
changed key that nothing reads is reported. The keys themselves are declared beside the
code that reads them (see sections.py); `python launch.py --help=method.vae` lists them.
"""

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from gan_vae.config import sections
from gan_vae.errors import unknown


def get_config(method: str = 'gan') -> Any:
    """The defaults of a run by a method, a locked ConfigDict.

    Lengths are in steps, sizes in pixels, losses in nats.
    """
    config = ConfigDict({'name': ''})  # set from the file's name; names the run folder
    for section in sections.SECTIONS:
        config[section] = _section(section, method)
    return config.lock()


def _section(section: str, method: str) -> ConfigDict:
    values = {k: f.default for k, f in sections.keys(section, method).items()}
    return ConfigDict(({'name': method} if section == 'method' else {}) | values)


def use_method(config: Any, method: str):
    """Makes it a config of another method, which keeps the values that both have."""
    with config.unlocked():
        for section in ('model', 'method'):
            before = config[section]
            config[section] = after = _section(section, method)
            for key in (set(before) & set(after)) - {'name'}:
                after[key] = before[key]
    config.lock()


def update(config: Any, values: Mapping[str, Any]):
    """Sets {'section.key': value}; 'method.name' first, as it decides what keys are."""
    values = dict(values)
    if method := values.pop('method.name', ''):
        use_method(config, method)
    config.update_from_flattened_dict(values)


# What `:tiny` means everywhere: the whole path in seconds, on data that needs nothing.
# Of the keys of method and model, those that the method has.
_TINY = {
    'data.name': 'toy_shapes',
    'data.split': 'train[:64]',
    'data.eval_split': 'test[:10]',
    'data.categories': '',
    'data.batch_size': 8,
    'model.width': 8,
    'model.discriminator_width': 8,
    'model.latent_dim': 8,
    'model.code_width': 8,
    'model.heads': 2,
    'model.depth': 1,
    'method.tokeniser_steps': 2,
    'method.critic_steps': 1,  # each is compiled by itself
    'method.beta_warmup_steps': 0,
    'train.steps': 4,
    'train.log_steps': 1,
    'train.image_steps': 2,
    'train.num_samples': 4,
    'train.checkpoint_steps': 2,
    'eval.batch_size': 4,
    'eval.num_samples': 8,
}


def with_variant(config: Any, variant: str, **variants: Mapping[str, Any]) -> Any:
    """Applies '' (nothing), 'tiny', or one of `variants` ({'section.key': value}).

    A 'tiny' among them is more of it.
    """
    more = dict(variants.pop('tiny', {}))
    if variant not in {'', 'tiny', *variants}:
        raise unknown('config variant', variant, ['tiny', *variants])
    if variant == 'tiny':
        method = more.get('method.name', config.method.name)
        known = sections.all_keys(method)
        tiny = {key: value for key, value in _TINY.items() if key in known}
        update(config, tiny | more)
    elif variant:
        update(config, variants[variant])
    return config
