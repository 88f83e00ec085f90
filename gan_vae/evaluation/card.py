"""The protocol card of a number: what must be equal to compare it with another.

A value alone says nothing: each carries how it was made and a baseline (`null`), the
same metric between two disjoint sets of real pictures.
"""

from typing import NamedTuple


class Card(NamedTuple):
    """One measured value and its protocol."""

    metric: str
    value: float
    spread: float | None  # standard error, from disjoint quarters of the samples
    null: float | None  # mean over draws of null_n real pictures as the samples
    null_spread: float | None  # standard deviation over these draws
    null_n: int
    extractor: str  # '' where pictures are compared themselves
    weights_sha256: str
    resize: str
    reference: str
    reference_sha256: str
    n_real: int
    n_fake: int
    quantisation: str
    made: dict  # the samples: run, step, checkpoint, ema_decay, batch_statistics, seed
    seed: int  # of the subsets and projections
    flags: tuple[str, ...] = ()  # why the value may mean little
    note: str = ''  # of the extractor
    # {class: {'value', 'null', 'n_real', 'n_fake'}}, the worst first
    by_class: dict | None = None
    options: str = ''  # arguments of the metric that are not its defaults, as 'k=5'

    def line(self) -> str:
        """The card on one readable line."""
        options = f' ({self.options})' if self.options else ''
        value = f'{self.value:.5g}{_plus_minus(self.spread)}'
        parts = [f'{self.metric}{options} {value}']
        if self.null is not None:
            of = f' (real against real, n={self.null_n})' if self.null_n else ''
            null = f'{self.null:.4g}{_plus_minus(self.null_spread)}'
            parts.append(f'baseline {null}{of}')
        samples = ' '.join(f'{k} {v}' for k, v in self.made.items())
        parts.append(f'{self.n_fake} of {samples}')
        parts.append(
            f'against {self.n_real} of {self.reference} {self.reference_sha256[:8]}'
        )
        if self.by_class:
            worst, row = next(iter(self.by_class.items()))
            parts.append(f'{self.classes}, worst {worst} {row["value"]:.4g}')
        if self.extractor:
            title = f'{self.extractor} {self.weights_sha256[:8]}'.rstrip()
            parts.append(f'{title}, resize {self.resize}')
        parts.append(self.quantisation)
        parts += [self.note] if self.note else []
        parts += [f'FLAG: {flag}' for flag in self.flags]
        return ' | '.join(parts)

    @property
    def classes(self) -> str:
        """How many classes, and the pictures of the smallest on either side."""
        if not self.by_class:
            return ''
        fake, real = (
            min(row[side] for row in self.by_class.values())
            for side in ('n_fake', 'n_real')
        )
        return f'{len(self.by_class)} classes of {fake} against {real} or more'

    def to_dict(self) -> dict:
        """For JSON; `Card(**d)` is the way back."""
        return self._asdict() | {'flags': list(self.flags)}


_PROTOCOL = (
    'metric',
    'extractor',
    'weights_sha256',
    'resize',
    'reference_sha256',
    'n_real',
    'n_fake',
    'quantisation',
    'classes',
    'options',
)


def differences(a: Card, b: Card) -> list[str]:
    """The parts of the protocol in which two cards differ, as 'n_fake: 1000, 2000'."""
    return [
        f'{field}: {getattr(a, field)}, {getattr(b, field)}'
        for field in _PROTOCOL
        if getattr(a, field) != getattr(b, field)
    ]


def _plus_minus(spread: float | None) -> str:
    return '' if spread is None else f' ± {spread:.2g}'
