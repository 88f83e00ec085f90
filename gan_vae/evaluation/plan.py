"""What is measured and when, parsed from config.eval.metrics without JAX.

    plan    = request {"," request}
    request = metric ["@" steps] {":" key "=" number}

as 'swd@1000,fid@10000:num=5000,pr_random:k=5'. A metric with steps is measured at each
multiple of them, one without at each evaluation (config.eval.every_steps), and all at
the end. `num` is the number of samples (by default config.eval.num_samples); the other
keys are the `options` of the metric. gan_vae.evaluation.metrics says what metrics are
called.
"""

import importlib.util
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar, cast

from gan_vae import extractors
from gan_vae.errors import UserError, nearest, not_installed
from gan_vae.evaluation import metrics
from gan_vae.evaluation.metrics import ALONE, ModelMetric, SampleMetric

WITHIN = 'intra_'
M = TypeVar('M', bound=SampleMetric | ModelMetric, covariant=True)


@dataclass(frozen=True)
class Request(Generic[M]):
    """One metric as it was named, with its interval and arguments."""

    name: str  # as iwae_64 or intra_kid_random
    metric: M = field(compare=False)  # options bound
    argument: str = ''  # an extractor or a number
    within: bool = False  # the mean over classes
    every: int = 0  # steps; 0: at each evaluation
    num: int = 0  # samples; 0: the default number
    options: str = ''  # those that are not at their defaults, as 'k=5'

    @property
    def of_samples(self) -> bool:
        return isinstance(self.metric, SampleMetric)

    @property
    def needs_classes(self) -> bool:
        """Whether the samples and the reference must have classes."""
        return self.of_samples and (self.within or self.metric.needs == 'labels')

    @property
    def results(self) -> list[str]:
        """What its results are called, for config.train.best_metric."""
        return [self.title(key) for key in self.metric.gives]

    def title(self, key: str) -> str:
        """What a result is called: only the Fréchet distance on Inception is fid."""
        if isinstance(self.metric, ModelMetric):
            return key.format(name=self.name)
        title = self.metric.published.get(self.argument)
        if title is None:
            title = f'{key}_{self.argument}' if self.argument else key
        return WITHIN + title if self.within else title


class Plan(tuple[Request[M], ...], Generic[M]):
    """The requests of a run, in the order in which they were named."""

    @property
    def of_samples(self) -> 'Plan[SampleMetric]':
        return Plan(cast(Request, r) for r in self if r.of_samples)

    @property
    def of_model(self) -> 'Plan[ModelMetric]':
        return Plan(cast(Request, r) for r in self if not r.of_samples)

    @property
    def results(self) -> list[str]:
        return [title for request in self for title in request.results]

    def sized(self, num: int) -> 'Plan[M]':
        """With `num` samples where a request of samples states no number."""
        return Plan(replace(r, num=r.num or num) if r.of_samples else r for r in self)

    def due(self, step: int, evaluation: bool, best: str = '') -> 'Plan[M]':
        """Those to measure at a step.

        evaluation: config.eval.every_steps is due there; best: the result that ranks
        a checkpoint saved at this step, which is measured in any case.
        """
        return Plan(
            request
            for request in self
            if (step % request.every == 0 if request.every else evaluation)
            or best in request.results
        )


def parse(text: str) -> Plan:
    """The Plan of 'swd@1000,fid:num=5000'; '' has none. Raises a UserError.

    A request that is written twice counts once.
    """
    requests: dict[str, Request] = {}
    for words in filter(None, (part.strip() for part in text.split(','))):
        request = _request(words)
        for title in request.results or [request.name]:
            if requests.setdefault(title, request) != request:
                raise UserError(
                    f'metric {words!r}: {title} is measured twice, in different ways'
                )
    return Plan(dict.fromkeys(requests.values()))


def _request(text: str) -> Request:
    head, *pairs = text.split(':')
    name, at, steps = head.partition('@')
    if at and not (steps.isdecimal() and int(steps) > 0):
        raise UserError(f'metric {text!r}: write {name}@STEPS, as {name}@1000')
    within = name.startswith(WITHIN)
    metric, argument = metrics.find(name.removeprefix(WITHIN))
    if within and not getattr(metric, 'within_classes', False):
        raise UserError(
            f'unknown metric {name!r}: {name.removeprefix(WITHIN)} has no mean over '
            'classes'
        )
    if isinstance(metric, ModelMetric):
        _check_model_metric(name, metric, argument)
    else:
        argument = _extractor(name, metric, argument)
    options = _options(text, metric, pairs)
    num = options.pop('num', 0)
    if options:
        metric = replace(metric, compute=partial(metric.compute, **options))
    return Request(
        name=name,
        metric=metric,
        argument=argument,
        within=within,
        every=int(steps or 0),
        num=num,
        options=' '.join(f'{key}={value}' for key, value in options.items()),
    )


def _extractor(name: str, metric: SampleMetric, argument: str) -> str:
    """The extractor, checked; the default one where none is written."""
    if metric.needs in ALONE or metric.fixed_extractor:
        if argument:
            raise UserError(f'metric {name!r} takes no extractor')
        return metric.extractor
    argument = argument or metric.extractor
    if not argument:
        raise UserError(
            f'unknown metric {name!r}: write {name.rstrip("_")}_random, or another '
            f'extractor of: {", ".join(extractors.names())}'
        )
    extractors.check(argument, f'extractor in metric {name!r}:')
    return argument


def _check_model_metric(name: str, metric: ModelMetric, argument: str):
    if metric.argument == 'number':
        if not (argument.isdecimal() and 1 <= int(argument) <= 100_000):
            head = name.partition('_')[0]
            raise UserError(
                f'metric {name!r}: write {head}_K with a number, as {head}_64'
            )
    elif metric.argument == 'extractor':
        what = f'extractor with maps in metric {name!r}:'
        extractors.check(argument, what, 'maps')
    elif argument:
        raise UserError(f'metric {name!r}: it takes nothing after its name')
    for package, extra in metric.packages.items():
        if importlib.util.find_spec(package) is None:
            raise not_installed(f'metric {name!r}', package, extra)


def _options(text: str, metric: SampleMetric | ModelMetric, pairs: list[str]) -> dict:
    """{key: number} of pairs as 'k=5', where they are not at their defaults."""
    known = dict(metric.options)
    if isinstance(metric, SampleMetric):
        known['num'] = 0
    options = {}
    for pair in pairs:
        key, _, number = pair.partition('=')
        try:
            value = float(number)
        except ValueError:
            raise UserError(
                f'metric {text!r}: {pair!r} is not KEY=NUMBER, as num=5000'
            ) from None
        if key not in known:
            has = ', '.join(known) or 'none'
            raise UserError(
                f'metric {text!r}: no argument {key!r}{nearest(key, known)}; it has: '
                f'{has}'
            )
        whole = isinstance(known[key], int)
        if not value > 0 or whole and not value.is_integer():
            kind = 'a whole number' if whole else 'a number'
            raise UserError(f'metric {text!r}: {pair}: give {kind} above 0')
        options[key] = int(value) if value.is_integer() else value
    return {key: value for key, value in options.items() if value != known[key]}
