"""The two networks of a GAN behind one way to call each, with a class or without.

  generate    z, y -> G(z, y)               judge    x, y -> D(x, y)

A network with a field `classes` is conditional: it is called with `condition`, the
class of each row, unless it tells the class itself (an auxiliary classifier).
"""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import keys_of
from gan_vae.learning.settings import Learning
from gan_vae.methods import latents


class Verdict(NamedTuple):
    """What D says of images."""

    logits: jax.Array  # [B], high means real
    auxiliary: Any = None  # of a D with a second output: [B, classes], [B, codes], ...


class Pair(NamedTuple):
    """G and D. `label` is int [B], or None where there are no classes."""

    prior: latents.Prior
    classes: int  # 0: unconditional
    auxiliary: str  # what D's second output is of: 'class', 'codes' or ''
    init: Callable  # (key of G, key of D) -> {network: variables}
    # (params, variables, z, label) -> images for training, G's new variables
    generate: Callable
    # (params, variables, images, label, dropout key, row numbers) -> Verdict, D's new
    judge: Callable
    generate_eval: Callable  # (variables with params, z, label=None) -> images
    sample: Callable  # the same, by the statistics that samples are to have
    judge_eval: Callable  # (variables with params, images, label) -> Verdict
    settle: Callable  # (variables with params, key) -> those that `sample` takes


def make(
    model, prior: latents.Prior, statistics: str, learning: Learning, spec, axis_name
) -> Pair:
    """The pair that the settings `model` name, for images of shape `spec`."""
    classes = len(spec.class_names)
    fields = {
        'image_size': spec.height,
        'channels': spec.channels,
        'width': model.width,
        'classes': classes,
        'codes': prior.codes,
        'axis_name': axis_name,
        'dtype': jnp.dtype(learning.dtype),
    }
    generator = models.make('generator', model.generator, **fields)
    discriminator = models.make(
        'discriminator', model.discriminator, dropout=model.dropout, **fields
    )
    _check(model, generator, discriminator, classes, prior)
    return pair(generator, discriminator, prior, statistics, learning, spec)


def pair(
    generator: nn.Module,
    discriminator: nn.Module,
    prior: latents.Prior,
    statistics: str,
    learning: Learning,
    spec,
) -> Pair:
    """Two networks as a game calls them, for images of shape `spec`.

    generator: z [B, D] -> images [B, H, W, C] in [-1, 1]; discriminator: images ->
    logits [B], or (logits, a second output). Those with a field `classes` are called
    with `condition` too. statistics: of BatchNorm in samples, see gan.Sampling.
    """
    classes = len(spec.class_names)
    conditional = _has(generator, 'classes')
    recompute = recomputed(learning.remat)
    drops = _takes(discriminator, 'indices')

    def init(key_g, key_d):
        label = jnp.zeros((2,), jnp.int32)
        images = jnp.zeros((2, *spec.shape))
        z = prior.draw(keys_of(key_g, jnp.arange(2)))
        return {
            'generator': generator.init(key_g, z, **_condition(generator, label)),
            'discriminator': discriminator.init(
                key_d, images, **_condition(discriminator, label)
            ),
        }

    @recompute
    def generate(params, variables, z, label):
        variables = {'params': params, **variables}
        images, after = generator.apply(
            variables,
            z,
            train=True,
            mutable=list(variables),
            **_condition(generator, label),
        )
        return images, _without_params(after)

    @recompute
    def judge(params, variables, images, label, key, indices):
        variables = {'params': params, **variables}
        verdict, after = discriminator.apply(
            variables,
            images,
            train=True,
            mutable=list(variables),
            rngs={'dropout': key},
            **({'indices': indices} if drops else {}),
            **_condition(discriminator, label),
        )
        return _verdict(verdict), _without_params(after)

    def judge_eval(variables, images, label):
        condition = _condition(discriminator, label)
        return _verdict(discriminator.apply(variables, images, **condition))

    # outside of the mapped step there is no axis to average over
    alone = generator
    batch_norm = _has(generator, 'axis_name')
    if batch_norm:
        alone = generator.clone(axis_name=None)

    def apply(variables, z, label=None, **options):
        if conditional and label is None:
            label = jnp.arange(len(z)) % classes
        if label is not None and not conditional:
            raise UserError('this model has no classes: it takes none to sample')
        return alone.apply(variables, z, **_condition(alone, label), **options)

    if statistics != 'running' and not batch_norm:
        raise UserError(
            f'config.method.sampling_statistics={statistics}: the generator has no '
            'BatchNorm, leave it at running'
        )
    sample, settle = apply, lambda variables, key: variables
    if statistics == 'batch':

        def sample(variables, z, label=None):
            return apply(variables, z, label, train=True, mutable=list(variables))[0]

    elif statistics == 'standing':
        settle = partial(_standing, apply, prior, learning.batch_size)
    auxiliary = 'codes' if prior.codes else ''
    if conditional and not _takes(discriminator, 'condition'):
        auxiliary = 'class'
    return Pair(
        prior=prior,
        classes=classes if conditional else 0,
        auxiliary=auxiliary,
        init=init,
        generate=generate,
        judge=judge,
        generate_eval=apply,
        sample=sample,
        judge_eval=judge_eval,
        settle=settle,
    )


STANDING = 16  # batches


def _standing(apply, prior, batch_size, variables, rng):
    """Batch statistics anew: means over those of STANDING batches of latents.

    Brock et al. 2018, arXiv:1809.11096, appendix ("standing statistics").
    """
    stats = variables['batch_stats']
    rows = jnp.arange(batch_size)

    def add(number, total):
        z = prior.draw(keys_of(jax.random.fold_in(rng, number), rows))

        def after(value):
            start = jax.tree.map(lambda x: jnp.full_like(x, value), stats)
            given = variables | {'batch_stats': start}
            return apply(given, z, train=True, mutable=list(variables))[1][
                'batch_stats'
            ]

        # A BatchNorm gives m r + (1 - m) b of running statistics r and the batch's b:
        # from r of 0 and of 1, its momentum m is the difference, whatever the network.
        return jax.tree.map(
            lambda t, zero, one: t + zero / (1 - (one - zero)) / STANDING,
            total,
            after(0.0),
            after(1.0),
        )

    total = jax.lax.fori_loop(0, STANDING, add, jax.tree.map(jnp.zeros_like, stats))
    return variables | {'batch_stats': total}


def _check(model, generator, discriminator, classes, prior):
    """A UserError where the networks do not fit each other or the data."""
    conditional = [_has(n, 'classes') for n in (generator, discriminator)]
    if any(conditional) and not all(conditional):
        takes, not_ = ('generator', 'discriminator')[:: 1 if conditional[0] else -1]
        raise UserError(
            f'config.model.{takes}={getattr(model, takes)} takes classes, and '
            f'config.model.{not_}={getattr(model, not_)} does not: take two of a kind'
        )
    if conditional[0] and classes < 2:
        raise UserError(
            f'config.model.generator={model.generator} takes classes, and the data '
            'have none: take data with labels (a folder with a subfolder for each '
            'class), or a generator without'
        )
    if prior.codes and not _has(discriminator, 'codes'):
        raise UserError(
            f'config.model.discriminator={model.discriminator} tells no codes: take '
            'infogan, or set config.model.code_categories and code_continuous to 0'
        )
    if _has(discriminator, 'codes') and not prior.codes:
        raise UserError(
            f'config.model.discriminator={model.discriminator} tells codes, and there '
            'are none: set config.model.code_categories or code_continuous'
        )


def _has(network: nn.Module, field: str) -> bool:
    return field in type(network).__dataclass_fields__


def _takes(network: nn.Module, argument: str) -> bool:
    return argument in signature(type(network).__call__).parameters


def _condition(network, label) -> dict:
    return {'condition': label} if _takes(network, 'condition') else {}


def _verdict(output) -> Verdict:
    return Verdict(*output) if isinstance(output, tuple) else Verdict(output)


def _without_params(variables):
    return {name: v for name, v in variables.items() if name != 'params'}
