"""A panel of measures of a set of samples against a reference, each with its card.

Measures are named `swd`, `fid`, `is` (both on `inception`) or METRIC_EXTRACTOR:
fd_random, kid_efficientnet_lite0, pr_classifier, … A measure is one entry of METRICS.
intra_METRIC_EXTRACTOR (intra_fid on `inception`) is its mean over classes, and `cas` the
classification accuracy score: both need the classes of samples and reference.

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

from gan_vae.data.source import Examples
from gan_vae.errors import UserError, unknown
from gan_vae.evaluation import (
    by_class,
    classification_accuracy,
    diversity,
    extractors,
    features,
    frechet,
    inception_score,
    kernel,
    manifold,
    modes,
    originality,
    sliced,
)
from gan_vae.evaluation.by_class import Found
from gan_vae.evaluation.card import Card

NULLS = 3  # pairs of real sets
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
    scores = classification_accuracy.accuracies(train=fake, test=real)
    return {'cas': scores['']}


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
}
_KNOWN = {'near': 0.01}  # nulls that need no measurement
_SHORT = {'fid': ('fd', 'inception'), 'is': ('is', 'inception'), 'swd': ('swd', '')}


def parse(names: str) -> list[tuple[str, str]]:
    """'swd,kid_random' -> [('swd', ''), ('kid', 'random')]; '' -> []."""
    found = []
    for name in filter(None, (word.strip() for word in names.split(','))):
        metric, _, extractor = name.partition('_')
        metric, extractor = _SHORT.get(name, (metric, extractor))
        if metric not in METRICS or (metric, extractor) == ('fd', ''):
            known = [*_SHORT, *(f'{m}_random' for m in METRICS if m != 'swd')]
            raise unknown('metric', name, known)
        if METRICS[metric].needs == 'images':
            if extractor:
                raise UserError(f'metric {name!r}: {metric} takes no extractor')
        elif extractor not in extractors.NAMES:
            raise unknown(f'extractor in metric {name!r}:', extractor, extractors.NAMES)
        found.append((metric, extractor))
    return found


def names(text: str) -> list[str]:
    """What the measures of 'swd,pr_random' are called in results."""
    return [title(key, e) for m, e in parse(text) for key in METRICS[m].gives]


def title(metric: str, extractor: str) -> str:
    """How a result is called: only the Fréchet distance on Inception is fid."""
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
        self.asked = parse(names)
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
        self, samples: np.ndarray, made: dict, quantisation: str = QUANTISED
    ) -> dict[str, Card]:
        """{name: card} of uint8 samples [n, H, W, C]; `made`: where they are from."""
        return {
            found.metric: found
            for metric, name, fake in self._vectors_of(samples)
            for found in self._cards(metric, name, fake, made, quantisation)
        }

    def values(self, samples: np.ndarray) -> dict[str, float]:
        """The bare values of `measure`, without their nulls and spreads: cheaper."""
        return {
            title(key, name): float(value)
            for metric, name, fake in self._vectors_of(samples)
            for key, value in self._compute(metric, name, fake).items()
        }

    def _vectors_of(self, samples: np.ndarray):
        """(metric, extractor, what the metric needs of the samples) for all asked."""
        want = self.reference.examples.images.shape[1:]
        if samples.shape[1:] != want:
            raise UserError(
                f'samples of {samples.shape[1:]} against a reference of {want}: '
                'both must have the same size and channels'
            )
        vectors = {
            name: features.extract(extractor, samples, self.mesh)
            for name, extractor in self._extractors.items()
        } | {'': {'images': samples}}
        for metric, name in self.asked:
            yield metric, name, vectors[name][METRICS[metric].needs]

    def _real_for(self, metric: str, name: str, n_fake: int) -> np.ndarray:
        """The reference, or as many of it as the metric takes."""
        how, real = METRICS[metric], self._real(name)[METRICS[metric].needs]
        most = n_fake if how.equal else how.most or len(real)
        return real[_rows(len(real), most, self.seed)] if most < len(real) else real

    def _held_for(self, metric: str, name: str):
        how = METRICS[metric]
        return self._held(name)[how.needs] if how.paired else None

    def _compute(self, metric: str, name: str, fake) -> dict[str, float]:
        real = self._real_for(metric, name, len(fake))
        held = self._held_for(metric, name)
        return METRICS[metric].compute(real, fake, held, self.seed)

    def _cards(self, metric: str, name: str, fake, made: dict, quantisation: str):
        how = METRICS[metric]
        real = self._real_for(metric, name, len(fake))
        held = self._held_for(metric, name)
        n_real, n_fake = len(real), len(fake)
        null_n = min(n_fake, self._size // 2)
        nulls = [] if how.paired else self._nulls(metric, name, null_n)
        quarters = []
        if n_fake >= 40 and not how.paired:  # a paired one has its own law
            part = real[_rows(n_real, null_n, self.seed)]
            quarters = [
                how.compute(part, fake[i::4], held, self.seed) for i in range(4)
            ]
        flags = []
        dimension = fake.shape[1]
        if how.by_dimension and min(n_real, n_fake) <= dimension:
            flags.append(
                f'fewer pictures than the {dimension} dimensions: mostly bias, compare '
                'with the null'
            )
        if null_n < n_fake and nulls:
            flags.append(f'the null is of {null_n} pictures only')
        extractor = self._extractors.get(name)
        for key, value in how.compute(real, fake, held, self.seed).items():
            null = [found[key] for found in nulls]
            yield Card(
                metric=title(key, name),
                value=float(value),
                spread=float(np.std([q[key] for q in quarters], ddof=1) / 2)
                if quarters
                else None,
                null=float(np.mean(null)) if null else _KNOWN.get(key),
                null_spread=float(np.std(null, ddof=1)) if null else None,
                null_n=null_n if null else 0,
                extractor=name,
                weights_sha256=extractor.weights_sha256 if extractor else '',
                resize=f'{extractor.resize} {extractor.input_size}'
                if extractor
                else '',
                reference=self.reference.name,
                reference_sha256=self._sha256,
                n_real=n_real,
                n_fake=n_fake,
                quantisation=quantisation,
                made=made,
                seed=self.seed,
                flags=tuple(flags),
                note=extractor.note if extractor else '',
            )

    def _nulls(self, metric: str, name: str, n: int) -> list[dict[str, float]]:
        """The measure of n reference pictures against the rest, or as many of it as
        the metric takes."""
        if n < 20:
            return []

        def measured():
            how, found = METRICS[metric], []
            real = self._real(name)[how.needs]
            for pair in range(NULLS):
                rows = _rows(len(real), len(real), self.seed + 1 + pair)
                rest = rows[n:][: n if how.equal else how.most or None]
                found.append(how.compute(real[rest], real[rows[:n]], None, self.seed))
            return found

        return self._once(('null', metric, name, n), measured)

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


def _rows(size: int, n: int, seed: int) -> np.ndarray:
    """n of `size` rows without replacement."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(size)
    return order[:n]
