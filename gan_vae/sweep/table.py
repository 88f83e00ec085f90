"""The table of a sweep while it runs, redrawn on a terminal."""

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from gan_vae.sweep.plan import Point, Value
from gan_vae.sweep.trial import ENDED


class Row(NamedTuple):
    """A trial as it stands."""

    trial: str
    changed: str  # 'learning_rate=0.0002 b1=0.5 seed=1'
    status: str
    step: int
    steps: int
    metric: float | None


def format_value(value: Value, digits: int = 4) -> str:
    return f'{value:.{digits}g}' if isinstance(value, float) else str(value)


def distinct_labels(values: Sequence[Value], digits: int = 4) -> list[str]:
    """The values as text, of as many digits as tell them apart."""
    labels = [format_value(value, digits) for value in values]
    if len(set(labels)) == len(labels) or digits == 17:
        return labels
    return distinct_labels(values, digits + 1)


def describe(point: Point, seed: int | None = None) -> str:
    """'learning_rate=0.0002 b1=0.5': the values of a point on a line."""
    words = [f'{k.rpartition(".")[2]}={format_value(v)}' for k, v in point.items()]
    return ' '.join(words if seed is None else [*words, f'seed={seed}'])


def line(row: Row, width: int) -> str:
    """`width`: of the changed values."""
    metric = '' if row.metric is None else f'{row.metric:.5g}'
    steps = f'{row.step}/{row.steps}'
    start = f'{row.trial}  {row.changed:<{width}}  {row.status:<8}'
    return f'{start}  {steps:>13}  {metric}'


def lines(rows: list[Row], metric: str, width: int, height: int) -> list[str]:
    """The table for a terminal of `width` by `height`.

    Running trials are kept; trials that do not fit are counted in the last line.
    """
    wide = max([7, *(len(r.changed) for r in rows)])
    order = {'running': 0} | dict.fromkeys(ENDED, 1)
    ordered = sorted(rows, key=lambda r: order.get(r.status, 2))
    chosen = ordered[: max(1, height - 2)]
    shown = [row for row in rows if row in chosen]
    head = f'{"trial":<12}  {"changed":<{wide}}  {"status":<8}  {"step":>13}  {metric}'
    counts = Counter(row.status for row in rows)
    foot = ', '.join(f'{n} {status}' for status, n in counts.items())
    if len(shown) < len(rows):
        foot += f' ({len(rows) - len(shown)} not shown)'
    return [text[:width] for text in [head, *(line(r, wide) for r in shown), foot]]


class Screen:
    """Draws the table over itself on a terminal; elsewhere prints what has changed."""

    def __init__(self, metric: str):
        self._metric, self._drawn = metric, 0
        self._seen: dict[str, str] = {}
        self._live = sys.stdout.isatty()

    def show(self, rows: list[Row]):
        if not self._live:
            for row in rows:
                if self._seen.get(row.trial, 'waiting') != row.status:
                    print(line(row, 0), flush=True)
                self._seen[row.trial] = row.status
            return
        size = shutil.get_terminal_size()
        text = lines(rows, self._metric, size.columns - 1, size.lines - 1)
        up = f'\x1b[{self._drawn}F\x1b[J' if self._drawn else ''
        sys.stdout.write(up + '\n'.join(text) + '\n')
        sys.stdout.flush()
        self._drawn = len(text)
