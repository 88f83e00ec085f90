"""Metrics, one module of this package each: how one is written, and how it is named.

A metric of samples against a reference is a module with METRIC = SampleMetric(...), a
metric of a model on held-out examples one with METRIC = ModelMetric(...). A new metric
is one new module, here or anywhere that Python finds it by a dotted name. It is named

    swd, fid, mig           by its module
    kid_random, ppl_random  with an extractor, if it looks at features or maps
    iwae_64                 with a number, if it takes one
    mine.brightness         a module of the user's own; mine.brightness_random with an
                            extractor, fd_mine.eyes with an extractor of their own
    intra_kid_random        the mean of kid_random over classes

The longest name of a module wins, and its argument follows an underscore. A metric
module imports JAX inside of its functions: a wrong name is refused without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gan_vae import modules
from gan_vae.errors import UserError, unknown

LOWER, HIGHER = 'lower', 'higher'  # which values are better; '': neither
ALONE = ('images', 'labels')  # needs of a SampleMetric that takes no extractor


@dataclass(frozen=True, kw_only=True)
class SampleMetric:
    """A metric of a set of samples against a reference set."""

    # What `compute` is given of each picture: the uint8 'images' [n, H, W, C]
    # themselves, 'features' or 'logits' [n, d] of an extractor, or 'labels', for
    # data.source.Examples with their classes.
    needs: str
    # (real, fake, held_out, seed, **options) -> {key: value}; held_out: None unless
    # needs_held_out
    compute: Callable[..., dict[str, float]]
    # {key: LOWER, HIGHER or ''}: the results that train.best_metric may name
    gives: Mapping[str, str]
    options: Mapping[str, int | float] = field(default_factory=dict)  # with defaults
    extractor: str = ''  # that it takes where none is named
    fixed_extractor: bool = False  # it takes no other
    published: Mapping[str, str] = field(default_factory=dict)  # {extractor: title}
    within_classes: bool = False  # intra_NAME, its mean over classes, has a meaning
    equal_sizes: bool = False  # takes as many reference pictures as there are samples
    most_real: int = 0  # reference pictures at most, where all pairs count; 0: all
    needs_held_out: bool = False  # real pictures outside the reference, its baseline
    baseline: Mapping[str, float] = field(default_factory=dict)  # known without data
    biased_below_dimension: bool = False  # fewer pictures than dimensions: a flag
    # For a metric with a baseline of its own: (real, fake, seed, remember) ->
    # (Comparison, {class: Comparison}), in place of comparison.compare
    compare: Callable | None = None
    about: Callable[[], dict[str, str]] | None = None  # what cards say of its network
    # (real, fake, real images, samples) -> a uint8 picture that explains the value
    sheet: Callable | None = None


@dataclass(frozen=True, kw_only=True)
class ModelMetric:
    """A metric of a trained model on held-out examples."""

    # Capabilities of a method, as 'latents.encode' (methods/contract.py), of which it
    # must have one.
    needs: tuple[str, ...]
    # (TrainedModel, [argument,] **options) -> {key: (value, unit and protocol)}
    compute: Callable[..., dict[str, tuple[float, str]]]
    gives: Mapping[str, str]  # as in SampleMetric; {name} is the name with its argument
    argument: str = ''  # that follows its name: 'number', 'extractor' with maps, or ''
    options: Mapping[str, int | float] = field(default_factory=dict)
    sequences: bool = False  # measures models of sequences, too
    packages: Mapping[str, str] = field(default_factory=dict)  # {module: pip extra}
    # (config): a UserError for a run that it cannot measure, before any training
    check: Callable[[Any], None] | None = None


def names() -> list[str]:
    """The metrics of this package; none is imported."""
    return modules.names(__name__)


def find(text: str) -> tuple[SampleMetric | ModelMetric, str]:
    """(METRIC, argument) of 'kid_random' or 'mine.fancy_8'; UserError for others."""
    name, argument = modules.split(text, __name__)
    if not name and '.' in text:
        raise modules.absent('metric', text)
    if not name:
        raise unknown('metric', text, examples())
    metric = getattr(modules.load(name, __name__), 'METRIC', None)
    if not isinstance(metric, SampleMetric | ModelMetric):
        raise UserError(
            f'metric {text!r}: the module {name} has no METRIC, a SampleMetric or '
            'ModelMetric of gan_vae.evaluation.metrics'
        )
    return metric, argument


def examples() -> list[str]:
    """A valid name of each metric: swd, kid_random, iwae_64; imports no JAX."""
    arguments = {'number': '_64', 'extractor': '_random', '': ''}
    titles = []
    for name in names():
        metric = modules.load(name, __name__).METRIC
        if isinstance(metric, ModelMetric):
            titles.append(name + arguments[metric.argument])
            continue
        alone = metric.needs in ALONE or metric.extractor
        titles.append(name if alone else f'{name}_random')
        if metric.within_classes:
            titles.append(f'intra_{titles[-1]}')
    return titles
