"""One static HTML page of a sweep: its points, their results, which keys matter."""

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.evaluation.report import figure, page, plot, scalars
from gan_vae.runs import folder as run_folder
from gan_vae.sweep.plan import Experiment, Metric, Trial
from gan_vae.sweep.ranking import Ranked, compared, effects, told_apart
from gan_vae.sweep.table import describe, distinct_labels, format_value

_STYLE = """
tr.bad td { color: #888; } td.key, td.n { white-space: nowrap; }
small.flag { display: inline-block; width: 16rem; white-space: normal; }
.sorts th { cursor: pointer; }
svg text { font-size: 11px; fill: #555; paint-order: stroke; stroke: #fff;
           stroke-width: 4px; } .bar { fill: #1b6ca8; }
.chance { stroke: #c8553d; stroke-width: 2; }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; }
"""
# A click on a head sorts by that column, and another one the other way.
_SORT = """<script>
addEventListener('click', ({target: head}) => {
  if (head.tagName !== 'TH' || !head.closest('.sorts')) return;
  const rows = [...head.closest('table').rows].slice(1), at = head.cellIndex;
  const of = row => row.cells[at].innerText.trim();
  const number = text => text === '' ? Infinity : parseFloat(text);
  const sign = head.dataset.sign = -(head.dataset.sign || -1);
  const by = (a, b) => number(a) - number(b) || a.localeCompare(b);
  rows.sort((a, b) => sign * by(of(a), of(b)));
  head.closest('table').append(...rows);
});
</script>"""
# Good to bad, of even steps in lightness: readable without colour.
_RAMP = ((28, 60, 120), (38, 130, 142), (122, 180, 90), (240, 200, 60))


def write(
    folder: Path,
    experiment: Experiment,
    ranked: list[Ranked],
    engine: str,
    importance: Mapping[str, float],
) -> Path:
    """Writes the page to `folder`, and returns its path.

    The page is report.html, or report-2.html and so on where that is the page of
    another sweep: of another metric, or of trials that this sweep does not have.
    importance: {key: share} by the engine, {} if it has none.
    """
    title = f'Sweep {experiment.name}'
    body = [
        f'<h1>{escape(title)}</h1>',
        _summary(experiment, ranked, engine),
        '<h2>Points, best first</h2>',
        _table(experiment.metric, ranked, folder),
        '<h2>Learning curves</h2>',
        _curves(experiment.metric, ranked),
        '<h2>Values and what they gave</h2>',
        _parallel(experiment.metric, ranked),
        '<h2>Which keys matter</h2>',
        _effects(ranked, importance),
        '<h2>Samples of the best</h2>',
        _pictures(ranked),
    ]
    identity = [' '.join(experiment.metric), *(t.id for r in ranked for t in r.trials)]
    path = _free(folder, identity)
    head = f'<meta name="sweep" content="{escape(";".join(identity))}">'
    text = page(title, body, f'{head}<style>{_STYLE}</style>{_SORT}')
    try:
        files.write_among_writers(path, text.encode())
    except OSError as error:
        raise UserError(f'cannot write {path}: {error.strerror}') from error
    return path


def _free(folder: Path, identity: list[str]) -> Path:
    """The first page that does not exist, or of which this sweep has every trial."""
    path, numbers = folder / 'report.html', itertools.count(2)
    while path.exists():
        with open(path, encoding='utf-8', errors='replace') as other:
            head = re.search('<meta name="sweep" content="([^"]*)">', other.readline())
        metric, *trials = unescape(head[1]).split(';') if head else ['']
        if metric == identity[0] and set(trials) <= set(identity[1:]):
            break
        path = folder / f'report-{next(numbers)}.html'
    return path


def _summary(experiment: Experiment, ranked: list[Ranked], engine: str) -> str:
    metric = experiment.metric
    seeds = sorted({t.seed for r in ranked for t in r.trials})
    steps = sorted({t.steps for r in ranked for t in r.trials})
    fixed = {
        key: value
        for r in ranked[:1]
        for key, value in r.trials[0].overrides.items()
        if key not in r.point and key != 'train.seed'
    }
    lower = 'lower' if metric.direction == 'min' else 'higher'
    when = 'at the last step' if metric.of == 'final' else 'best of all evaluations'
    over = (
        f'the mean over seeds {", ".join(map(str, seeds))}, ± their standard deviation'
    )
    if len(seeds) == 1:
        over = f'one seed each ({seeds[0]}), so the spread over seeds is unknown'
    lines = [
        f'{experiment.file} on {experiment.config}, engine {engine}.',
        f'Ranked by {metric.name}, {when}, {lower} is better: {over}. Equal '
        'means share a place. A point of which a seed has not finished has none.',
        f'Equal budget: every trial has {" or ".join(map(str, steps))} steps. Equal '
        'steps are not equal time where sizes are swept: the table has the seconds.',
    ]
    if fixed:
        lines.append('All trials: ' + ', '.join(f'{k}={v}' for k, v in fixed.items()))
    return ''.join(f'<p>{escape(line)}</p>' for line in lines)


def _table(metric: Metric, ranked: list[Ranked], folder: Path) -> str:
    keys = compared(ranked)
    head = ''.join(
        f'<th>{escape(name)}</th>'
        for name in ('', *keys, metric.name, 'each seed', 'status', 'seconds', 'trials')
    )
    places = [r.place for r in ranked]
    rows = []
    for r in ranked:
        counts = Counter(o.status for o in r.outcomes)
        status = ', '.join(
            f'{n} {s}' if len(r.outcomes) > 1 else s for s, n in counts.items()
        )
        errors = ''.join(
            f'<br><small class="flag">{escape(error)}</small>'
            for error in dict.fromkeys(o.error for o in r.outcomes if o.error)
        )
        each = ', '.join(
            '–' if o.value is None else f'{o.value:.5g}' for o in r.outcomes
        )
        mean = '' if r.mean is None else f'{r.mean:.5g}'
        spread = '' if r.spread is None else f' <small>± {r.spread:.2g}</small>'
        swatch = f'<span class="swatch" style="background:{_colour(r, ranked)}"></span>'
        tie = '=' if places.count(r.place) > 1 else ''
        tie += ' ≈' if r.place != 1 and told_apart(r, ranked[0]) is False else ''
        mark = '' if r.place is None else f'{swatch} {r.place}{tie}'
        cells = [
            mark,
            *(escape(format_value(r.point[k])) if k in r.point else '' for k in keys),
            mean + spread,
            each,
            status + errors,
            f'{sum(map(_seconds, r.trials)):.0f}',
            '<br>'.join(_link(t, folder) for t in r.trials),
        ]
        bad = ' class="bad"' if r.mean is None else ''
        row = ''.join(f'<td class="n">{cell}</td>' for cell in cells)
        rows.append(f'<tr{bad}>{row}</tr>')
    html = (
        f'<div class="wide sorts"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
    )
    if any(r.spread is not None for r in ranked):
        html += (
            '<p><small>≈: its mean cannot be told from that of the best (Welch’s '
            't-test over seeds at 5 %, not corrected for their number).</small></p>'
        )
    return html


def _link(trial: Trial, folder: Path) -> str:
    place = Path(os.path.relpath(trial.folder, folder)).as_posix()
    return f'<a href="{quote(place)}/"><code>{trial.id}</code></a>'


def _curves(metric: Metric, ranked: list[Ranked]) -> str:
    """The metric of each trial over its steps, in the colour of its point."""
    lines = [
        (_colour(r, ranked) if r.place else '#bbb', line)
        for r in reversed(ranked)  # the best on top
        for trial in r.trials
        if len(line := scalars(trial.folder).get(metric.name, [])) > 1
    ]
    if not lines:
        name = escape(metric.name)
        return f'<p>No trial has two values of {name}: set eval.every_steps.</p>'
    return f'<div class="wide">{plot(lines, 720, 300)}</div>'


def _seconds(trial) -> float:
    try:
        return float(run_folder.read_summary(trial.folder).get('seconds') or 0)
    except UserError:  # damaged: the status says so
        return 0.0


def _colour(r: Ranked, ranked: list[Ranked]) -> str:
    """By its place, and not its mean: one outlier leaves the others apart."""
    last = max(x.place or 1 for x in ranked)
    at = ((r.place or 1) - 1) / max(1, last - 1) * (len(_RAMP) - 1)
    channels = zip(*_RAMP, strict=True)
    mixed = [round(np.interp(at, range(len(_RAMP)), values)) for values in channels]
    return f'#{bytes(mixed).hex()}'


def _axis(
    values: list[Any], few: int = 6
) -> tuple[dict[Any, float], list[tuple[float, str]]]:
    """{value: height in [0, 1]}, and the labels with theirs.

    Up to `few` values stand at even distances; more numbers on a scale, a logarithmic
    one where they span more than a factor of 20. No two labels are the same text.
    """
    numbers = all(type(v) in (int, float) for v in values)
    distinct = sorted(dict.fromkeys(values), key=None if numbers else repr)
    if not numbers or len(distinct) <= few:
        gap = max(1, len(distinct) - 1)
        places = {v: i / gap if distinct[1:] else 0.5 for i, v in enumerate(distinct)}
        labels = distinct_labels(distinct)
        return places, list(zip(places.values(), labels, strict=True))
    low, high = distinct[0], distinct[-1]
    scale = math.log if low > 0 and high > 20 * low else float
    width = scale(high) - scale(low)

    def height(value):
        return (scale(value) - scale(low)) / width

    if scale is math.log:
        values = [low * (high / low) ** (i / 4) for i in range(5)]
    else:  # multiples of 1, 2 or 5 times a power of ten, at most six of them
        power = 10.0 ** math.floor(math.log10(width / 5))
        step = next(n * power for n in (1, 2, 5, 10) if n * power >= width / 5)
        first, last = math.ceil(low / step), math.floor(high / step)
        values = [i * step for i in range(first, last + 1)]
    labels = distinct_labels(values, 3)
    return {v: height(v) for v in distinct}, [
        *zip(map(height, values), labels, strict=True)
    ]


def _parallel(metric: Metric, ranked: list[Ranked]) -> str:
    """Parallel coordinates: an axis a key, a line a point, coloured by its mean."""
    columns = [(k, [r.point.get(k) for r in ranked], 6) for k in compared(ranked)]
    if any(r.mean is not None for r in ranked):
        columns.append((metric.name, [r.mean for r in ranked], 1))
    width, height, top, left = max(640, 190 * len(columns)), 330, 34, 70
    gap = (width - 2 * left) / max(1, len(columns) - 1)

    def up(place):
        return top + (height - top - 20) * (1 - place)

    drawn, labelled = [], []
    lines: list[list[str]] = [[] for _ in ranked]  # the corners of each point's
    for i, (name, values, few) in enumerate(columns):
        x = left + i * gap
        places, labels = _axis([v for v in values if v is not None], few)
        for line, value in zip(lines, values, strict=True):
            if value is not None:
                line.append(f'{x:.1f},{up(places[value]):.1f}')
        drawn.append(
            f'<path d="M{x:.1f} {up(0):.1f}V{up(1):.1f}" stroke="#bbb"/>'
            f'<text x="{x:.1f}" y="{top - 18}" text-anchor="middle">'
            f'{escape(name)}</text>'
        )
        labelled += [
            f'<text x="{x - 6:.1f}" y="{up(place) + 4:.1f}" text-anchor="end">'
            f'{escape(label)}</text>'
            for place, label in labels
        ]
    for r, line in reversed([*zip(ranked, lines, strict=True)]):  # the best on top
        style = 'stroke="#999" stroke-dasharray="4 4"'
        result = ', '.join(dict.fromkeys(o.status for o in r.outcomes))
        if r.mean is not None:
            style = f'stroke="{_colour(r, ranked)}" stroke-width="2"'
            result = f'{r.mean:.5g}'
        drawn.append(
            f'<polyline points="{" ".join(line)}" fill="none" {style} '
            f'stroke-opacity=".85">'
            f'<title>{escape(describe(r.point))}: {escape(result)}</title></polyline>'
        )
    return (
        f'<div class="wide"><svg viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}">{"".join(drawn + labelled)}</svg></div><p>'
        '<small>Dark blue: first place; yellow: last; dashed: no result.</small></p>'
    )


def _effects(ranked: list[Ranked], importance: Mapping[str, float]) -> str:
    table = effects(ranked)
    if not table:
        return '<p>Too few finished runs that differ.</p>'
    rows = []
    for key, e in sorted(table.items(), key=lambda item: -(item[1].share or 0)):
        bar, share = '', 'unknown'
        if e.share is not None:
            bar = (
                '<svg width="220" height="16">'
                '<rect width="220" height="14" fill="#eee"/>'
                f'<rect class="bar" width="{220 * e.share:.1f}" height="14"/>'
                f'<path class="chance" d="M{220 * e.chance:.1f} 0V16"/></svg>'
            )
            share = f'{e.share:.0%}'
        own = f'{importance[key]:.0%}' if key in importance else ''
        rows.append(
            f'<tr><td class="key">{escape(key)}</td><td>{bar}</td>'
            f'<td class="n">{share}</td><td class="n">{e.chance:.0%}</td>'
            f'<td class="n">{e.levels}</td><td class="n">{own}</td></tr>'
        )
    unknown = ''
    if any(e.share is None for e in table.values()):
        unknown = (
            ' Unknown: every run has another level of this key, so that its effect and '
            'noise cannot be separated; repeat the points with --seeds=K.'
        )
    return (
        '<table><tr><th></th><th></th><th>of the variance</th><th>by chance</th>'
        f'<th>levels</th><th>{"Optuna" if importance else ""}</th></tr>'
        f'{"".join(rows)}</table><p><small>The share of the variance between runs '
        "that a key's levels explain by themselves (main effects); the red mark is "
        'what noise alone takes on average. On a full grid the rest is interaction and '
        'noise; drawn points are not balanced: shares may add up to more than 100 %.'
        f'{unknown}</small></p>'
    )


def _pictures(ranked: list[Ranked]) -> str:
    figures = []
    for r in [r for r in ranked if r.place is not None][:3]:
        one = r.trials[0]
        file = one.folder / 'samples' / f'{one.steps:07d}.png'
        if file.is_file():
            figures.append(figure(f'{r.place}: {describe(r.point, one.seed)}', file))
    return f'<div class="row">{"".join(figures)}</div>' if figures else '<p>None.</p>'
