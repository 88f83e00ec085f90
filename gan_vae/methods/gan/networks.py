"""The two networks of a GAN behind one way to call each, with a condition or without.

  generate    z, y -> G(z, y)               judge    x, y -> D(x, y)

A network with a field `classes` is conditional: it is called with `condition`, the
class of each row, unless it tells the class itself (an auxiliary classifier). One with
a field `words` takes the numbers of the words of a caption in its place. A
generator that takes `keys` or `key` draws noise of its own in training: keys [B] of the
rows, or one of the whole update. One with the methods `styles` and `draw` makes images
in two steps, by a style for each layer (`Styles`). A D that takes `reconstruct` is
called with it for real images in its own updates.
"""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae import models
from gan_vae.config import fields
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.learning.settings import Learning
from gan_vae.methods import captions as captions_lib
from gan_vae.methods import latents
from gan_vae.methods.captions import Captions
from gan_vae.methods.contract import refuse_condition

FAKES = 1 << 24  # of generated images' numbers for dropout, beside those of real ones


class Verdict(NamedTuple):
    """What D says of images."""

    logits: jax.Array  # [B], or [B, P] of patches; high means real
    auxiliary: Any = None  # of a D with a second output: [B, classes], [B, codes], ...


class Styles(NamedTuple):
    """A G of two steps: z -> the style w of each layer -> images.

    `variables` are with params.
    """

    layers: int  # coarse to fine
    size: int  # numbers of a style
    # (variables, z, label=None, keys=None, key=None) -> [B, layers, size]; with keys
    # as in training
    map: Callable
    draw: Callable  # (variables, styles, keys=None) -> images
    mean: Callable  # variables -> the mean style [size]


class Pair(NamedTuple):
    """G and D. `label` is the condition: classes int [B], words int [B, length], or
    None."""

    prior: latents.Prior
    classes: int  # 0: there are none
    captions: Captions | None
    auxiliary: str  # D's second output: 'class', 'codes', 'reconstruction' or ''
    init: Callable  # (key of G, key of D) -> {network: variables}
    # (params, variables, z, label, keys, key) -> images for training, G's new
    # variables; keys: of the rows, key: of the update, both for noise of G's own
    generate: Callable
    # (params, variables, images, label, dropout key, row numbers) -> Verdict, D's new
    judge: Callable
    # (params, variables, (real, fake), label, their dropout keys, row numbers) -> their
    # Verdicts, D's new variables
    compare: Callable
    # as `generate`, but the list of the maps [B, H, W, C] that its layers return
    maps: Callable
    generate_eval: Callable  # (variables with params, z, label=None) -> images
    sample: Callable  # the same, by the statistics that samples are to have
    judge_eval: Callable  # (variables with params, images, label) -> Verdict
    settle: Callable  # variables with params -> those that `sample` takes
    styles: Styles | None = None


def make(
    model, prior: latents.Prior, statistics: str, learning: Learning, spec, axis_name
) -> Pair:
    """The pair that the settings `model` name, for images of shape `spec`."""
    shared = {
        'image_size': spec.height,
        'channels': spec.channels,
        'classes': len(spec.class_names),
        'words': len(spec.text.words) if spec.text else 0,
        'length': spec.text.length if spec.text else 0,
        'codes': prior.codes,
        'axis_name': axis_name,
        'dtype': jnp.dtype(learning.dtype),
    }

    def network(role):
        own = {n: getattr(model, n) for n in fields.of_network(model, role)}
        return models.make(role, getattr(model, role), **shared, **own)

    generator, discriminator = network('generator'), network('discriminator')
    _check(model, generator, discriminator, len(spec.class_names), prior)
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
    logits [B] or [B, P], or (logits, a second output). Those with a field `classes` are
    called with `condition` too. statistics: of BatchNorm in samples, see gan.Images.
    """
    captions = captions_lib.of(spec) if _has(generator, 'words') else None
    by_class = _has(generator, 'classes')
    classes = len(spec.class_names) if by_class else 0
    recompute = recomputed(learning.remat)
    shape = (2, spec.text.length) if captions else (2,)

    def init(key_g, key_d):
        def variables(network, key, x):
            return network.init(key, x, **_condition(network, label))

        def of_generator(key):
            condition = _condition(generator, label)
            drawn, own = generator.init_with_output(key, z, **condition)
            if drawn.shape[1:] != spec.shape:
                raise UserError(
                    f'the generator {type(generator).__name__} draws images of '
                    f'{drawn.shape[1:]}, and {spec.shape} are wanted (height, width, '
                    'channels)'
                )
            return own

        z, label = prior.sample(key_g, 2), jnp.zeros(shape, jnp.int32)
        label = captions.encode(label) if captions else label
        images = jnp.zeros((2, *spec.shape))
        return {
            'generator': of_generator(key_g),
            'discriminator': variables(discriminator, key_d, images),
        }

    def noise(keys, key):
        both = {'keys': keys, 'key': key}
        return {n: value for n, value in both.items() if _takes(generator, n)}

    @recompute
    def generate(params, variables, z, label, keys=None, key=None):
        return train(generator, params, variables, z, label, **noise(keys, key))

    def maps(params, variables, z, label, keys=None, key=None):
        capture = {'capture_intermediates': True, 'mutable': True}
        options = noise(keys, key) | capture
        _, after = train(generator, params, variables, z, label, **options)
        outputs = jax.tree.leaves(after['intermediates'])
        return [x for x in outputs if x.ndim == 4 and len(x) == len(z)]

    reconstructs = _takes(discriminator, 'reconstruct')

    def judging(**always):
        @recompute
        def judge(params, variables, images, label, key, indices):
            options = {'indices': indices} if _takes(discriminator, 'indices') else {}
            options |= {'rngs': {'dropout': key}} | always
            output, after = train(
                discriminator, params, variables, images, label, **options
            )
            return _verdict(output), after

        return judge

    judge = judging()
    judge_real = judging(reconstruct=True) if reconstructs else judge
    # a network that sees its batch as one is told of the devices that share it
    alone_each = not _has(discriminator, 'axis_name')

    @recompute
    def together(params, variables, images, label, keys, indices):
        """One pass over both halves takes half of the compilation of two."""
        both = jnp.concatenate(images)
        label = label if label is None else jnp.concatenate([label, label])
        options: dict[str, Any] = {'rngs': {'dropout': keys[0]}}
        if _takes(discriminator, 'indices'):
            options['indices'] = jnp.concatenate([indices, indices + FAKES])
        output, after = train(discriminator, params, variables, both, label, **options)
        halves = jax.tree.map(lambda x: jnp.split(x, 2), _verdict(output))
        of_two = jax.tree.structure(_verdict(output))
        return jax.tree.transpose(of_two, jax.tree.structure([0, 0]), halves), after

    def apart(params, variables, images, label, keys, indices):
        verdicts = []
        for ask, x, key in zip((judge_real, judge), images, keys, strict=True):
            verdict, variables = ask(params, variables, x, label, key, indices)
            verdicts.append(verdict)
        return verdicts, variables

    def judge_eval(variables, images, label):
        condition = _condition(discriminator, label)
        return _verdict(discriminator.apply(variables, images, **condition))

    # outside of the mapped step there is no axis to average over
    averages = _has(generator, 'axis_name')
    alone = generator.clone(axis_name=None) if averages else generator

    def label_of(z, label):
        if captions:
            if label is None:
                label = captions.drawn(jax.random.key(0), len(z))
            return label if label.ndim == 3 else captions.encode(label)
        if by_class and label is None:
            return jnp.arange(len(z)) % classes
        if not (by_class or captions):
            refuse_condition(label)
        return label

    def apply(variables, z, label=None, **options):
        label = label_of(z, label)
        return alone.apply(variables, z, **_condition(alone, label), **options)

    if statistics != 'running' and not _batch_norm(init):
        raise UserError(
            f'config.method.sampling_statistics={statistics}: the generator has no '
            'BatchNorm, leave it at running'
        )
    sample, settle = apply, lambda variables: variables
    if statistics == 'batch':

        def sample(variables, z, label=None):
            return apply(variables, z, label, train=True, mutable=list(variables))[0]

    elif statistics == 'standing':
        settle = partial(_standing, apply, prior, learning.batch_size)
    auxiliary = 'reconstruction' if reconstructs else 'codes' if prior.codes else ''
    if by_class and not _takes(discriminator, 'condition'):
        auxiliary = 'class'
    return Pair(
        prior=prior,
        classes=classes,
        captions=captions,
        auxiliary=auxiliary,
        init=init,
        generate=generate,
        judge=judge,
        compare=together if alone_each and not reconstructs else apart,
        maps=maps,
        generate_eval=apply,
        sample=sample,
        judge_eval=judge_eval,
        settle=settle,
        styles=_styles(alone, label_of) if hasattr(generator, 'styles') else None,
    )


def _batch_norm(init) -> bool:
    """Whether G has statistics of batches."""
    variables = jax.eval_shape(init, *[jax.random.key(0)] * 2)
    return 'batch_stats' in variables['generator']


def _styles(generator: nn.Module, label_of: Callable) -> Styles:
    def draw(variables, styles, keys=None):
        return generator.apply(variables, styles, keys, method='draw')

    def styles(variables, z, label=None, keys=None, key=None):
        label = label_of(z, label)
        return generator.apply(variables, z, label, keys, key, method='styles')

    def mean(variables):
        return variables['styles']['mean']

    return Styles(generator.layers, generator.style_dim, styles, draw, mean)


def train(network: nn.Module, params, variables, x, label=None, **options) -> tuple:
    """(outputs, new variables) of a network in training."""
    variables = {'params': params, **variables}
    options = {'mutable': list(variables), **options}
    options |= {'train': True} if _takes(network, 'train') else {}
    condition = _condition(network, label)
    outputs, variables = network.apply(variables, x, **condition, **options)
    return outputs, {name: v for name, v in variables.items() if name != 'params'}


STANDING = 16  # batches


def _standing(apply, prior, batch_size, variables):
    """Batch statistics anew: means over those of STANDING batches of latents, which are
    the same whoever calls: samples stay the same.

    Brock et al. 2018, arXiv:1809.11096, appendix ("standing statistics").
    """
    stats = variables['batch_stats']

    def add(number, total):
        key = jax.random.fold_in(jax.random.key(0), number)
        z = prior.sample(key, batch_size)

        def after(value):
            start = jax.tree.map(lambda x: jnp.full_like(x, value), stats)
            options = {'train': True, 'mutable': list(variables)}
            _, new = apply(variables | {'batch_stats': start}, z, **options)
            return new['batch_stats']

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
    for field, what in (('classes', 'classes'), ('words', 'captions')):
        has = _has(generator, field)
        if has == _has(discriminator, field):
            continue
        takes, other = ('generator', 'discriminator')[:: 1 if has else -1]
        raise UserError(
            f'config.model.{takes}={getattr(model, takes)} takes {what}, and '
            f'config.model.{other}={getattr(model, other)} does not: take two of a kind'
        )
    if _has(generator, 'classes') and classes < 2:
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
