"""Runs that are training: how far they are, their curves and their newest samples."""

import time
from functools import lru_cache
from pathlib import Path

from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.runs import folder as run_folder

POINTS = 200  # of a curve
RECENT = 300.0  # seconds since the last record, below which a run counts as training
TAIL = 4_000_000  # bytes of metrics.jsonl that are read
RECORD = 'metrics.jsonl'
PICTURES = 'samples', 'data'


def outline(folder: Path) -> dict | None:
    """JSON of a run folder; None for what is none."""
    try:
        config = run_folder.read_config(folder)
        record = (folder / RECORD).stat()
    except (UserError, OSError):
        return None
    batch, total = config.data.batch_size, config.train.steps
    step, speed = _progress(folder, batch, record.st_mtime_ns)
    training = time.time() - record.st_mtime < RECENT
    return {
        'name': folder.name,
        'config': config.name,
        'step': step,
        'steps': total,
        'training': training and step < total,
        'written': record.st_mtime,
        'seconds_left': (total - step) / speed if speed and step < total else None,
    }


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """{name: [(step, value)]} of a run, of POINTS points each at most."""
    series: dict[str, list[tuple[int, float]]] = {}
    for line in _lines(folder):
        for name, value in line.items():
            left_out = name == 'step' or name.startswith(('spectral/', 'perf/'))
            if not left_out and isinstance(value, int | float):
                series.setdefault(name, []).append((line['step'], float(value)))
    return {name: _thinned(points) for name, points in sorted(series.items())}


def picture(folder: Path) -> Path | None:
    """The newest samples of a run as one picture, else its data."""
    for name in PICTURES:
        for place in (folder / f'{name}.png', *_numbered(folder / name)):
            if place.is_file():
                return place
    return None


def _numbered(folder: Path) -> list[Path]:
    return sorted(folder.glob('*.png'), reverse=True)[:1] if folder.is_dir() else []


def _lines(folder: Path) -> list[dict]:
    lines = files.json_lines(folder / RECORD, TAIL)
    return [line for line in lines if isinstance(line.get('step'), int)]


@lru_cache(500)
def _progress(folder: Path, batch: int, _: int) -> tuple[int, float]:
    """(the last step, steps a second) of a record; `_`: when it was written."""
    lines = _lines(folder)
    return max((line['step'] for line in lines), default=0), _speed(lines, batch)


def _speed(lines: list[dict], batch: int) -> float:
    """Steps a second, by the last record of it; 0: unknown."""
    for line in reversed(lines):
        for name, value in line.items():
            if name.startswith('perf/') and isinstance(value, int | float):
                return value / batch
    return 0.0


def _thinned(points: list) -> list:
    every = -(-len(points) // POINTS)
    kept = points[::every]
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]
