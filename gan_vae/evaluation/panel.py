"""A panel of metrics of a set of samples against a reference, each with its card.

gan_vae.evaluation.metrics says what metrics are called and how one is written,
comparison.py what the baseline and the spread of a value are. Within classes all of
these are taken in each class, then averaged.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_vae import arrays, extractors
from gan_vae.data.source import Examples
from gan_vae.errors import UserError, counted
from gan_vae.evaluation import by_class, comparison, plan
from gan_vae.evaluation.card import Card
from gan_vae.evaluation.comparison import Comparison
from gan_vae.evaluation.metrics import LOWER, SampleMetric
from gan_vae.evaluation.plan import Plan, Request
from gan_vae.extractors import features

QUANTISED = 'uint8 by round(127.5 (x + 1))'
HELD_OUT = 99  # pictures that a metric of held-out ones takes at least

Rows = slice | np.ndarray
ALL = {'': (slice(None), slice(None))}


class Pictures(NamedTuple):
    """A set with the name that cards give it."""

    name: str
    examples: Examples


class Case(NamedTuple):
    """One metric on one extractor, on the samples at hand."""

    request: Request[SampleMetric]
    fake: Any  # what the metric needs of the samples: [n, ...], or Examples
    classes: dict[str, tuple[Rows, Rows]]  # {class: rows of (reference, fake)}, or ALL


class Panel:
    """Metrics against one reference; what depends on it alone is computed once."""

    def __init__(
        self,
        metrics: str | Plan,
        reference: Pictures,
        mesh: jax.sharding.Mesh,
        held_out: Pictures | None = None,
        train: Examples | None = None,
        seed: int = 0,
        seen: str = '',
    ):
        """metrics: as 'swd,fid' (see plan.py), or parsed; held_out: real pictures
        outside the reference, for originality; train: what an extractor that learns is
        trained on (by default the reference); seen: the extractor that the model was
        trained by, if any. A UserError for what they lack."""
        requests = plan.parse(metrics) if isinstance(metrics, str) else metrics
        for request in requests.of_model:
            raise UserError(
                f'metric {request.name!r} is of a model: a set of samples has no model'
            )
        self.plan = requests.of_samples
        if reference.examples.kind != 'images':
            raise UserError(
                f'{",".join(request.name for request in self.plan)} compares pictures, '
                f'not {reference.examples.kind}: take iwae_K or fivo_K, with a number '
                'of particles, or none'
            )
        arrays.pictures(reference.examples.images, f'pictures of {reference.name}')
        if of_classes := [r.name for r in self.plan if r.needs_classes]:
            by_class.check_reference(reference.examples, reference.name, of_classes)
        self.reference, self.held_out = reference, held_out
        self.mesh, self.seed, self.seen = mesh, seed, seen
        self._sha256 = features.digest(reference.examples.images)
        self._remembered: dict[tuple, Any] = {}
        self._extractors: dict[str, extractors.Extractor] = {}
        for request in self.plan:
            self._prepare(request, train or reference.examples)

    def _prepare(self, request: Request[SampleMetric], train: Examples):
        """Loads the extractor of a request, and refuses what it lacks."""
        if request.metric.needs_held_out and (
            self.held_out is None or len(self.held_out.examples.images) < HELD_OUT
        ):
            raise UserError(
                f'{request.name} needs {HELD_OUT} held-out real pictures or more: take '
                'a reference with a held-out test split'
            )
        name = request.argument
        if name and name not in self._extractors:
            self._extractors[name] = extractors.load(name, examples=train)
        if request.metric.needs == 'logits':
            extractor = self._extractors[name]
            shape = (2, *self.reference.examples.images.shape[1:])
            images = jax.ShapeDtypeStruct(shape, np.uint8)
            outputs = jax.eval_shape(extractor.apply, extractor.params, images)
            if 'logits' not in outputs:
                raise UserError(f'{request.name}: the extractor {name} has no classes')

    def measure(
        self,
        samples: np.ndarray,
        made: dict,
        quantisation: str = QUANTISED,
        labels: np.ndarray | None = None,
        due: Plan[SampleMetric] | None = None,
        flags: tuple[str, ...] = (),
    ) -> dict[str, Card]:
        """{title: card} of uint8 samples [n, H, W, C]; `made`: where they are from.

        labels: int [n], indices of the reference's class_names, where a metric needs
        the classes. due: only these requests of the panel's. flags: what cards say of
        the samples or the reference as a whole.
        """
        about = {
            'reference': self.reference.name,
            'reference_sha256': self._sha256,
            'quantisation': quantisation,
            'made': made,
            'seed': self.seed,
        }
        cards = {}
        for case in self._cases(samples, labels, due):
            request, metric = case.request, case.request.metric
            whole, parts = self._compare(case)
            dimension = case.fake.shape[1] if metric.biased_below_dimension else 0
            own = comparison.flags(metric, whole, parts, dimension)
            if request.argument and request.argument == self.seen:
                own += (
                    f'the model was trained by the features of {self.seen}: it is '
                    'near in them, whatever it looks like',
                )
            of_metric = {
                'flags': own + flags,
                'options': request.options,
                **self._network(request),
            }
            for key in whole.values:
                title, lower = request.title(key), metric.gives.get(key) == LOWER
                cards[title] = comparison.card(
                    whole,
                    key,
                    metric.baseline.get(key),
                    metric=title,
                    by_class=by_class.table(parts, key, lower),
                    **about,
                    **of_metric,
                )
        return cards

    def sheets(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """{METRIC_EXTRACTOR: uint8 picture that explains it} where a metric has one."""
        explained = Plan(r for r in self.plan if r.metric.sheet)
        return {
            case.request.name: case.request.metric.sheet(
                self._of_set(self.reference, case.request),
                case.fake,
                self.reference.examples.images,
                samples,
            )
            for case in self._cases(samples, None, explained)
            if case.request.metric.sheet
        }

    def _cases(
        self, samples: np.ndarray, labels, due: Plan[SampleMetric] | None = None
    ) -> Iterator[Case]:
        real = self.reference.examples
        due = self.plan if due is None else due
        samples = arrays.pictures(samples, 'samples', real.images.shape[1:])
        if of_classes := [r.name for r in due if r.needs_classes]:
            labels = by_class.checked(labels, len(samples), real, of_classes)
        for request in due:
            if request.num > len(samples):
                raise UserError(
                    f'metric {request.name}:num={request.num}: there are '
                    f'{counted(len(samples), "sample")}'
                )
        vectors = {}
        for name in dict.fromkeys(r.argument for r in due if r.argument):
            most = max(r.num or len(samples) for r in due if r.argument == name)
            vectors[name] = features.extract(
                self._extractors[name], samples[:most], self.mesh
            )
        for request in due:
            n = request.num or len(samples)
            of_n = None if labels is None else labels[:n]
            if request.metric.needs == 'labels':
                fake = Examples(samples[:n], of_n, real.class_names)
            elif request.argument:
                fake = vectors[request.argument][request.metric.needs][:n]
            else:
                fake = samples[:n]
            classes = by_class.rows(real, of_n) if request.within else ALL
            yield Case(request, fake, classes)

    def _compare(self, case: Case) -> tuple[Comparison, dict[str, Comparison]]:
        """(of all samples, {class: of it} where the metric looks at classes)."""
        request, metric = case.request, case.request.metric
        real = self._of_set(self.reference, request)
        held_out = None
        if metric.needs_held_out:
            assert self.held_out, 'refused by _prepare'
            held_out = self._of_set(self.held_out, request)

        def remember(label):
            key = ('baseline', request.name, request.options, label)
            return lambda n, make: self._once((*key, n), make)

        if metric.compare:
            return metric.compare(real, case.fake, self.seed, remember(''))
        parts = {
            label: comparison.compare(
                metric,
                real[of_real],
                case.fake[of_fake],
                held_out,
                self.seed,
                remember(label),
            )
            for label, (of_real, of_fake) in case.classes.items()
        }
        if request.within:
            return by_class.mean(list(parts.values())), parts
        return parts[''], {}

    def _network(self, request: Request[SampleMetric]) -> dict:
        """What the pictures are looked at with, as a Card has it."""
        if request.metric.about:
            return request.metric.about()
        if not request.argument:
            return {'extractor': '', 'weights_sha256': '', 'resize': ''}
        extractor = self._extractors[request.argument]
        return {
            'extractor': request.argument,
            'weights_sha256': extractor.weights_sha256,
            'resize': f'{extractor.resize} {extractor.input_size}',
            'note': extractor.note,
        }

    def _of_set(self, pictures: Pictures, request: Request[SampleMetric]):
        """What the metric needs of the reference or of the held-out pictures."""
        name, needs = request.argument, request.metric.needs
        if needs == 'labels':
            return pictures.examples
        if not name:
            return pictures.examples.images
        vectors = self._once(
            (pictures is self.reference, name),
            lambda: features.of_reference(
                self._extractors[name], pictures.examples, self.mesh
            ),
        )
        return vectors[needs]

    def _once(self, key: tuple, make: Callable):
        if key not in self._remembered:
            self._remembered[key] = make()
        return self._remembered[key]
