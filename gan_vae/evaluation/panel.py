"""A panel of measures of a set of samples against a reference, each with its card.

Measures are named `swd`, `fid`, `is` (both on `inception`) or METRIC_EXTRACTOR:
fd_random, kid_efficientnet_lite0, pr_classifier, … A measure is one entry of METRICS.
intra_METRIC_EXTRACTOR (intra_fid on `inception`) is its mean over classes, `cas` the
classification accuracy score: these need the classes of samples and reference.

The null of a value is the same measure between two disjoint parts of the reference: as
many random pictures as there are samples (at most half), against the rest, so that both
sides are about as large as the value's. Its spread is over random parts; that of the
value is the standard error that four disjoint quarters of the samples show. Within
classes all of these are taken in each class, then averaged.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_vae import extractors
from gan_vae.data.source import Examples
from gan_vae.errors import UserError, unknown
from gan_vae.evaluation import (
    by_class,
    classification_accuracy,
    diversity,
    found,
    frechet,
    inception_score,
    kernel,
    manifold,
    modes,
    originality,
    sliced,
)
from gan_vae.evaluation.card import Card
from gan_vae.extractors import features

QUANTISED = 'uint8 by round(127.5 (x + 1))'


class Pictures(NamedTuple):
    """A set with the name that cards give it."""

    name: str
    examples: Examples


class Metric(NamedTuple):
    """One measure."""

    needs: str  # 'images' uint8, 'features', 'logits' or 'labels' (with the images)
    compute: Callable  # (real, fake, held, seed) -> {name: value}
    gives: tuple[str, ...]  # the names that config.train.best_metric may ask for
    by_dimension: bool = False  # fewer pictures than dimensions mean little
    paired: bool = False  # needs held-out pictures, which are its null
    equal: bool = False  # takes as many reference pictures as there are samples
    most: int = 0  # of reference pictures, where all pairs are formed; 0: all
    less_is_better: bool = False
    within: bool = False  # the mean over classes


def _fd(real, fake, held, seed):
    return {'fd': frechet.distance_of(real, fake)}


def _kid(real, fake, held, seed):
    return {'kid': kernel.kid(real, fake)}


def _precision_recall(real, fake, held, seed):
    return manifold.precision_recall(real, fake)


def _density_coverage(real, fake, held, seed):
    return manifold.density_coverage(real, fake)


def _vendi(real, fake, held, seed):
    return {'vendi': diversity.vendi_score(fake)}


def _inception_score(real, fake, held, seed):
    return {'is': inception_score.inception_score(fake)[0]}


def _modes(real, fake, held, seed):
    return modes.modes(real, fake)


def _swd(real, fake, held, seed):
    return sliced.swd(real, fake, seed)


def _originality(real, fake, held, seed):
    found = originality.originality(real, held, fake)
    return {'near': found['share_below_1st_percentile'], 'near_p': found['p_value']}


def _cas(real, fake, held, seed):
    return {'cas': classification_accuracy.accuracies(train=fake, test=real)['']}


def _intra(how: Metric) -> Metric:
    def compute(*sets):
        return {f'intra_{key}': value for key, value in how.compute(*sets).items()}

    gives = tuple(f'intra_{key}' for key in how.gives)
    return how._replace(compute=compute, gives=gives, within=True)


METRICS = {
    'fd': Metric('features', _fd, ('fd',), by_dimension=True, less_is_better=True),
    'kid': Metric('features', _kid, ('kid',), most=10_000, less_is_better=True),
    'pr': Metric('features', _precision_recall, ('precision', 'recall'), equal=True),
    'dc': Metric('features', _density_coverage, ('density', 'coverage'), equal=True),
    'vendi': Metric('features', _vendi, ('vendi',)),
    'is': Metric('logits', _inception_score, ('is',)),
    'modes': Metric('logits', _modes, ('modes', 'modes_kl')),
    'swd': Metric('images', _swd, ('swd',), equal=True),
    'originality': Metric('features', _originality, ('near',), paired=True),
    'cas': Metric('labels', _cas, ('cas',)),
}
METRICS |= {
    f'intra_{name}': _intra(METRICS[name]) for name in ('fd', 'kid', 'pr', 'dc')
}
_KNOWN = {'near': 0.01}  # nulls that need no measurement
_SHORT = {
    'fid': ('fd', 'inception'),
    'intra_fid': ('intra_fd', 'inception'),
    'is': ('is', 'inception'),
    'swd': ('swd', ''),
    'cas': ('cas', ''),
}
_ALONE = ('images', 'labels')  # needs of measures that take no extractor


def parse(names: str) -> list[tuple[str, str]]:
    """'swd,intra_kid_random' -> [('swd', ''), ('intra_kid', 'random')]; '' -> []."""
    found = []
    for name in filter(None, (word.strip() for word in names.split(','))):
        within = 'intra_' if name.startswith('intra_') else ''
        metric, _, extractor = name.removeprefix(within).partition('_')
        metric, extractor = _SHORT.get(name, (within + metric, extractor))
        if metric not in METRICS or metric[-2:] + extractor == 'fd':
            known = [*_SHORT, *(f'{m}_random' for m in METRICS if m not in _SHORT)]
            raise unknown('metric', name, known)
        if METRICS[metric].needs in _ALONE:
            if extractor:
                raise UserError(f'metric {name!r}: {metric} takes no extractor')
        elif extractor not in extractors.NAMES:
            raise unknown(f'extractor in metric {name!r}:', extractor, extractors.NAMES)
        found.append((metric, extractor))
    return found


def of_classes(names: str) -> list[str]:
    """Those of 'swd,cas' that need the classes of the samples."""
    return [
        title(how, extractor)
        for how, extractor in parse(names)
        if METRICS[how].within or METRICS[how].needs == 'labels'
    ]


def refuse_sequences(metrics: str, kind: str):
    """A UserError for measures of pictures, of a run that has none."""
    if kind != 'images':
        raise UserError(
            f'{metrics} compares pictures, not {kind}: '
            'take iwae_K or fivo_K, with a number of particles, or none'
        )


def names(text: str) -> list[str]:
    """What the measures of 'swd,pr_random' are called in results."""
    return [title(key, e) for m, e in parse(text) for key in METRICS[m].gives]


def title(metric: str, extractor: str) -> str:
    """How a result is called: only the Fréchet distance on Inception is fid."""
    if metric.startswith('intra_'):
        return 'intra_' + title(metric.removeprefix('intra_'), extractor)
    if (metric, extractor) == ('fd', 'inception'):
        return 'fid'
    if (metric, extractor) == ('is', 'inception') or not extractor:
        return metric
    return f'{metric}_{extractor}'


class Panel:
    """Measures against one reference; what depends on it alone is computed once."""

    def __init__(
        self,
        names: str,
        reference: Pictures,
        mesh: jax.sharding.Mesh,
        held: Pictures | None = None,
        train: Examples | None = None,
        seed: int = 0,
    ):
        """`held`: real pictures outside the reference, for originality; `train`: what
        a classifier learns from (by default the reference)."""
        self.asked, self._of_classes = parse(names), of_classes(names)
        refuse_sequences(names, reference.examples.kind)
        if self._of_classes:
            by_class.check_reference(
                reference.examples, reference.name, self._of_classes
            )
        self.reference, self.held, self.mesh, self.seed = reference, held, mesh, seed
        self._sha256 = features.digest(reference.examples.images)
        self._size = len(reference.examples.images)
        self._known: dict[tuple, Any] = {}
        self._extractors: dict[str, extractors.Extractor] = {}
        for metric, name in self.asked:
            if METRICS[metric].paired and (
                held is None or len(held.examples.images) < 99
            ):
                raise UserError(
                    'originality needs 99 held-out real pictures or more beside the '
                    'reference'
                )
            if name and name not in self._extractors:
                settings = {}
                if name == 'classifier':
                    settings['examples'] = train or reference.examples
                self._extractors[name] = extractors.load(name, **settings)
            needs = METRICS[metric].needs
            if needs == 'logits' and needs not in self._gives(name):
                raise UserError(
                    f'{title(metric, name)}: the extractor {name} has no classes'
                )

    def measure(
        self,
        samples: np.ndarray,
        made: dict,
        quantisation: str = QUANTISED,
        labels: np.ndarray | None = None,
    ) -> dict[str, Card]:
        """{name: card} of uint8 samples [n, H, W, C]; `made`: where they are from.

        labels: int [n], indices of the reference's class_names, where a measure needs
        the classes.
        """
        return {
            card.metric: card
            for metric, name, fake, parts in self._vectors_of(samples, labels)
            for card in self._cards(metric, name, fake, parts, made, quantisation)
        }

    def values(
        self, samples: np.ndarray, labels: np.ndarray | None = None
    ) -> dict[str, float]:
        """The bare values of `measure`, without their nulls and spreads: cheaper."""
        return {
            title(key, name): float(value)
            for metric, name, fake, parts in self._vectors_of(samples, labels)
            for key, value in by_class.mean_values(
                [self._compute(metric, name, fake, part) for part in parts.values()]
            ).items()
        }

    def _vectors_of(self, samples: np.ndarray, labels):
        """(metric, extractor, what the metric needs of the samples, parts) for all
        asked; parts: {class: (rows of the reference, rows of the samples)}, or all as
        class ''."""
        real = self.reference.examples
        want = real.images.shape[1:]
        if samples.shape[1:] != want:
            raise UserError(
                f'samples of {samples.shape[1:]} against a reference of {want}: '
                'both must have the same size and channels'
            )
        whole = classes = {'': (slice(None), slice(None))}
        if self._of_classes:
            labels = by_class.checked(labels, len(samples), real, self._of_classes)
            if any(METRICS[metric].within for metric, _ in self.asked):
                classes = by_class.rows(real, labels)
        vectors = {
            name: features.extract(extractor, samples, self.mesh)
            for name, extractor in self._extractors.items()
        }
        labelled = Examples(samples, labels, real.class_names)
        vectors[''] = {'images': samples, 'labels': labelled}
        for metric, name in self.asked:
            how = METRICS[metric]
            yield (
                metric,
                name,
                vectors[name][how.needs],
                classes if how.within else whole,
            )

    def _compute(self, metric: str, name: str, fake, part: tuple) -> dict[str, float]:
        how = METRICS[metric]
        if how.needs == 'labels':
            return how.compute(self.reference.examples, fake, None, self.seed)
        real, held = self._real(name)[how.needs][part[0]], self._held_for(metric, name)
        return found.compute(how, real, fake[part[1]], held, self.seed)

    def _find(self, metric: str, name: str, fake, parts: dict) -> tuple:
        """(what the metric gives, {class: what it gives there} where it looks there)"""
        how = METRICS[metric]

        def once(label):
            return lambda n, make: self._once(('null', metric, name, label, n), make)

        if how.needs == 'labels':
            real = self.reference.examples
            return classification_accuracy.find(real, fake, self.seed, once(''))
        real, held = self._real(name)[how.needs], self._held_for(metric, name)
        each = {
            label: found.find(how, real[rows], fake[mine], held, self.seed, once(label))
            for label, (rows, mine) in parts.items()
        }
        return (
            (by_class.mean(list(each.values())), each) if how.within else (each[''], {})
        )

    def _cards(self, metric, name, fake, parts: dict, made: dict, quantisation: str):
        how = METRICS[metric]
        whole, each = self._find(metric, name, fake, parts)
        dimension = fake.shape[1] if how.by_dimension else 0
        for key in whole.values:
            yield found.card(
                whole,
                key,
                _KNOWN.get(key),
                metric=title(key, name),
                reference=self.reference.name,
                reference_sha256=self._sha256,
                quantisation=quantisation,
                made=made,
                seed=self.seed,
                flags=found.flags(how, whole, each or {'': whole}, dimension),
                by_class=by_class.table(each, key, how.less_is_better),
                **self._about(how, name),
            )

    def _about(self, how: Metric, name: str) -> dict:
        """What the pictures are looked at with, as a Card has it."""
        if how.needs == 'labels':
            return classification_accuracy.about()
        extractor = self._extractors.get(name)
        return {
            'extractor': name,
            'weights_sha256': extractor.weights_sha256 if extractor else '',
            'resize': f'{extractor.resize} {extractor.input_size}' if extractor else '',
            'note': extractor.note if extractor else '',
        }

    def _held_for(self, metric: str, name: str):
        how = METRICS[metric]
        return self._held(name)[how.needs] if how.paired else None

    def _gives(self, name: str) -> dict:
        """The shapes of what an extractor gives for two pictures."""
        extractor = self._extractors[name]
        images = jax.ShapeDtypeStruct(
            (2, *self.reference.examples.images.shape[1:]), np.uint8
        )
        return jax.eval_shape(extractor.apply, extractor.params, images)

    def _real(self, name: str) -> dict:
        return self._once(
            ('real', name), lambda: self._vectors(name, self.reference.examples)
        )

    def _held(self, name: str) -> dict:
        return self._once(
            ('held', name), lambda: self._vectors(name, self.held.examples)
        )

    def _once(self, key: tuple, make: Callable):
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def _vectors(self, name: str, examples: Examples) -> dict:
        if not name:
            return {'images': examples.images}
        return features.of_reference(self._extractors[name], examples, self.mesh)

    def closest(self, samples: np.ndarray, name: str, count: int = 24) -> np.ndarray:
        """The `count` samples closest to a reference picture, each beside it."""
        fake = features.extract(self._extractors[name], samples, self.mesh)['features']
        distances, found = manifold.nearest(fake, self._real(name)['features'], 1)
        order = np.argsort(distances[:, 0], kind='stable')[:count]
        pairs = np.stack([order, found[order, 0]], 1)
        return originality.sheet(samples, self.reference.examples.images, pairs)
