"""Configs: load 'path.py:variant', override, validate, track reads, JSON both ways.

`gan_vae/config/default.py` is the schema: its keys are those that exist, and the type
of each default is the type of its value. Every error here is one line (`UserError`).
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_collections

from gan_vae.config import default, user_file
from gan_vae.errors import UserError, nearest, unknown

# What may differ between a run folder and the command that resumes it: where things
# are and how often to look, nothing that changes what the run computes.
RESUMABLE = (
    'data.dir',
    'data.storage',
    'data.memory_gb',
    'method.sampling_statistics',
    'parallel.devices',
    'parallel.map',
    'parallel.shard_state',
    'parallel.remat',
    'train.log_steps',
    'train.image_steps',
    'train.checkpoint_steps',
    'train.keep_latest',
    'train.keep_every_steps',
    'train.patience',
    'eval.every_steps',
    'eval.batch_size',
    'eval.metrics',
    'eval.num_samples',
    'eval.reference',
)


def load(spec: str, overrides: Mapping[str, str] | None = None):
    """Loads `path.py[:variant]`, applies 'section.key' -> text overrides, validates.

    Returns a locked ConfigDict whose `name` is the file's stem, with the variant.
    """
    path, _, variant = spec.partition(':')
    file = Path(path)
    if not file.is_file() or file.suffix != '.py':
        folder = file.parent if file.parent.is_dir() else Path('configs')
        known = [str(f) for f in sorted(folder.glob('*.py')) if f.stem != '__init__']
        raise UserError(f'no config file {path!r}{nearest(path, known)}')
    with user_file.running(file, f'config {path}') as module:
        config = module.get_config(variant)
    with config.unlocked():
        config.name = file.stem + (f'-{variant}' if variant else '')
    for key, text in (overrides or {}).items():
        override(config, key, text)
    config = config.copy_and_resolve_references()
    config.lock()
    validate(config)
    return config


def override(config, key: str, text: str):
    """Sets 'section.key' from the text of a command line, by the type it has."""
    flat = flatten(config)
    if key not in flat:
        leaves = {k.split('.')[-1]: k for k in flat}
        hint = nearest(key, flat) or nearest(leaves.get(key.split('.')[-1], ''), flat)
        raise UserError(f'unknown config key {key!r}{hint}')
    kind = type(flat[key])
    if kind is str:
        value: Any = text
    else:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        if kind is float and (type(value) is int or text.lower() in ('nan', 'inf')):
            value = float(text)
        if kind is int and type(value) is float and value.is_integer():
            value = int(value)  # 1e5 steps
        if type(value) is not kind:
            raise UserError(
                f'config.{key}={text}: expected {kind.__name__}, as in {flat[key]!r}'
            )
    section, _, leaf = key.rpartition('.')
    setattr(config[section] if section else config, leaf, value)


def flatten(config) -> dict[str, Any]:
    """{'section.key': value} over all leaves."""

    def walk(node, prefix) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            if isinstance(value, ml_collections.ConfigDict | dict):
                yield from walk(value, f'{prefix}{key}.')
            else:
                yield prefix + key, value

    return dict(walk(config, ''))


# Range of each number and names of each choice. Names of models, methods and datasets
# are checked by the registry that knows them.
_AT_LEAST = {
    'data.image_size': 8,
    'data.batch_size': 1,
    'data.channels': 1,
    'data.shift': 0,
    'data.transpose': 0,
    'data.stretch': 0,
    'data.segment_steps': 0,
    'data.memory_gb': 0,
    'model.width': 1,
    'model.latent_dim': 1,
    'model.hidden': 1,
    'model.code_categories': 0,
    'model.code_continuous': 0,
    'method.class_weight': 0,
    'method.category_weight': 0,
    'method.continuous_weight': 0,
    'model.dropout': 0,
    'method.critic_steps': 1,
    'method.penalty_weight': 0,
    'method.penalty_interval': 1,
    'method.clip_weights': 0,
    'method.consistency_weight': 0,
    'method.zcr_noise': 0,
    'method.zcr_discriminator_weight': 0,
    'method.zcr_generator_weight': 0,
    'method.lecam_weight': 0,
    'method.lecam_decay': 0,
    'method.lecam_start_step': 0,
    'method.orthogonal_weight': 0,
    'method.reconstruction_weight': 0,
    'method.balance_margin': 0,
    'method.balance_equilibrium': 0,
    'method.ema_decay': 0,
    'method.ema_half_life': 0,
    'method.ema_rampup': 0,
    'method.ema_start_step': 0,
    'method.beta': 0,
    'method.beta_warmup_steps': 0,
    'method.beta_begin': 0,
    'method.sample_steps': 1,
    'method.mixtures': 1,
    'method.likelihood_scale': 0,
    'method.bound_samples': 1,
    'method.free_bits': 0,
    'method.capacity': 0,
    'method.capacity_weight': 0,
    'method.capacity_steps': 1,
    'method.disentangle_weight': 0,
    'method.dip_diagonal': 0,
    'method.factor_width': 1,
    'optimizer.learning_rate': 0,
    'optimizer.discriminator_learning_rate': 0,
    'optimizer.discriminator_b1': -1,
    'optimizer.discriminator_b2': -1,
    'optimizer.eps': 0,
    'optimizer.warmup_steps': 0,
    'optimizer.clip_norm': 0,
    'optimizer.weight_decay': 0,
    'optimizer.skip_ratio': 0,
    'train.steps': 1,
    'train.seed': 0,
    'train.log_steps': 1,
    'train.image_steps': 1,
    'train.checkpoint_steps': 1,
    'train.keep_latest': 1,
    'train.keep_every_steps': 0,
    'train.num_samples': 1,
    'train.patience': 0,
    'eval.every_steps': 0,
    'eval.batch_size': 1,
    'eval.num_samples': 2,
    'parallel.devices': 0,
    'parallel.accumulate': 1,
}
_SEEDS = 2**32  # that JAX and NumPy both take
_BELOW_ONE = (
    'data.stretch',
    'method.beta_begin',
    'optimizer.b1',
    'optimizer.b2',
    'method.ema_decay',
    'method.lecam_decay',
    'model.dropout',
)
_ONE_OF = {
    'data.channels': (1, 3),
    'data.fit': ('crop', 'pad'),
    'data.binarize': ('none', 'dynamic', 'threshold'),
    'data.storage': ('memory', 'stream'),
    'model.latent': ('normal', 'uniform'),
    'method.sampling_statistics': ('running', 'batch', 'standing'),
    'method.bound': ('elbo', 'iwae', 'dreg'),
    'optimizer.schedule': ('constant', 'linear', 'cosine', 'stages'),
    'parallel.map': ('shard_map', 'pmap'),
    'parallel.dtype': ('float32', 'bfloat16'),
}


def validate(config):
    """Raises a UserError for the first value out of range."""
    flat = flatten(config)
    for key, low in _AT_LEAST.items():
        if not flat[key] >= low:
            raise UserError(f'config.{key}={flat[key]}: must be at least {low}')
        if flat[key] == float('inf'):
            raise UserError(f'config.{key}=inf: must be finite')
    if config.train.seed >= _SEEDS:
        raise UserError(f'config.train.seed={config.train.seed}: must be below 2**32')
    for key in _BELOW_ONE:
        if not 0 <= flat[key] < 1:
            raise UserError(f'config.{key}={flat[key]}: must be in [0, 1)')
    for key in ('optimizer.discriminator_b1', 'optimizer.discriminator_b2'):
        if not flat[key] < 1:
            raise UserError(f'config.{key}={flat[key]}: must be below 1')
    for key, choices in _ONE_OF.items():
        if flat[key] not in choices:
            if isinstance(flat[key], str):
                raise unknown(f'config.{key}', flat[key], choices)
            raise UserError(f'config.{key}={flat[key]}: must be one of {choices}')


def to_json(config) -> str:
    """The resolved config as sorted, indented JSON."""
    return json.dumps(config.to_dict(), indent=2, sort_keys=True)


def defaults():
    """The ConfigDict of all defaults."""
    return default.get_config()


def from_json(text: str, where: str = 'config.json'):
    """The locked config written by `to_json`; unknown keys are errors.

    A key that a run of an earlier version does not have takes its default: new keys
    are added so that their default is what was done before.
    """
    config = defaults()
    try:
        stored = flatten(json.loads(text))
    except (ValueError, AttributeError) as error:
        raise UserError(f'{where} is not a run config: {error}') from error
    flat = flatten(config)
    _renew(stored)
    if not stored:
        raise UserError(f'{where} is not a run config: it is empty')
    if not stored.keys() <= flat.keys():
        odd = sorted(stored.keys() - flat.keys())
        raise UserError(
            f'{where} was written by another version: unknown keys {", ".join(odd)}'
        )
    for key, value in stored.items():
        if type(value) is not type(flat[key]):
            raise UserError(f'{where}: {key}={value!r} should be like {flat[key]!r}')
        section, _, leaf = key.rpartition('.')
        setattr(config[section] if section else config, leaf, value)
    validate(config)
    return config


def _renew(stored: dict):
    """Gives the keys of earlier versions their names of now."""
    if gamma := stored.pop('method.r1_gamma', 0.0):
        stored |= {'method.penalty': 'r1', 'method.penalty_weight': gamma}


def differences(stored, asked) -> list[str]:
    """'key: stored -> asked' for what makes `asked` another run than `stored`.

    More steps are the same run going on, unless a schedule stretches with them.
    """
    old, new = flatten(stored), flatten(asked)
    free = set(RESUMABLE)
    if new['optimizer.schedule'] == 'constant':
        free.add('train.steps')
    return [
        f'{key}: {old[key]!r} -> {new[key]!r}'
        for key in sorted(new)
        if key not in free and old[key] != new[key]
    ]


class Reads:
    """A read-only view of a config that remembers which keys were read."""

    def __init__(self, config, prefix: str = '', seen: set | None = None):
        self._config, self._prefix = config, prefix
        self._seen = set() if seen is None else seen

    def __getattr__(self, key: str):
        value = getattr(self._config, key)
        if isinstance(value, ml_collections.ConfigDict):
            return Reads(value, f'{self._prefix}{key}.', self._seen)
        self._seen.add(self._prefix + key)
        return value

    def unread_settings(self) -> list[str]:
        """Keys set away from their default that nothing has read: dead settings."""
        flat, plain = flatten(self._config), flatten(defaults())
        return sorted(
            k
            for k in flat
            if flat[k] != plain[k] and k != 'name' and k not in self._seen
        )

    @property
    def keys_read(self) -> frozenset[str]:
        return frozenset(self._seen)
