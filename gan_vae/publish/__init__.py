"""A run for trackers: metrics.jsonl, the record, replayed."""

import hashlib
import sys
from pathlib import Path
from typing import Any, NamedTuple

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.runs import folder as run_folder

PROJECT = 'gan_vae'


class Replay(NamedTuple):
    """What a tracker is given of a run.

    identity: the same for a run wherever it lies, and for no other; name: its config's,
    with a part of that; config: {'section.key': value}; rows: (step, {metric: value})
    in the order of steps, only finite values.
    """

    identity: str
    name: str
    config: dict[str, Any]
    rows: list[tuple[int, dict[str, float]]]


def replay(workdir: str | Path) -> Replay:
    """Reads a run folder. Raises UserError where there is no run, or no record."""
    config = run_folder.read_config(workdir)
    path = Path(workdir) / 'metrics.jsonl'
    lines = [line for line in files.json_lines(path) if type(line.get('step')) is int]
    if not lines:
        raise UserError(f'{path} has no metrics: train the run first')
    rows: dict[int, dict[str, float]] = {}  # a step has a line for each event
    for line in lines:
        finite = {k: v for k, v in line.items() if k != 'step' and _finite(v)}
        rows.setdefault(line['step'], {}).update(finite)
    flat = dict(config_lib.flatten(config))
    # What no resumption changes; the first line has times, which no other run has.
    first = f'{flat["method.name"]} {flat["train.seed"]} {lines[0]}'
    identity = hashlib.sha256(first.encode()).hexdigest()[:16]
    name = f'{config.name}-{identity[:6]}'
    return Replay(identity, name, flat, sorted(rows.items()))


def _finite(value: Any) -> bool:
    """Whether it is a number that a float can be."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max
