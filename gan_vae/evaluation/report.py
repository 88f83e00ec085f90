"""One static HTML page that compares runs: metrics, curves, samples, configs.

The page can be shared: it holds names of folders, and none of their paths.
"""

import base64
import html
import re
from pathlib import Path

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.evaluation.card import Card, differences
from gan_vae.runs import folder as run_folder

COLOURS = ('#1b6ca8', '#c8553d', '#2f7d4f', '#8a5a9e', '#a67c00', '#17a2a8')
COLOURS += ('#d94f8a', '#5a5a5a', '#8bb030', '#6b4226')
FOLD = 12  # curves of one kind; more of them are folded away
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
       padding: 0 1rem; color: #222; }
h1 { font-weight: 600; } h2 { margin-top: 2.5rem; font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid #e3e3e3;
         vertical-align: top; }
td.n { font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
details { color: #555; font-size: .85rem; max-width: 34rem; }
details.wide { max-width: none; } small { color: #777; }
.flag { color: #a33; } .row { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; } figcaption { color: #555; font-size: .85rem; }
img { image-rendering: pixelated; width: 22rem; max-width: 100%; }
"""


def write(workdirs: list[str], out: str) -> Path:
    """Writes the page and returns its path; a UserError for a folder without a run."""
    if not workdirs:
        raise UserError('report takes the folders of runs, as runs/*')
    folders = [Path(workdir) for workdir in workdirs]
    for folder in folders:
        if not folder.exists():
            raise UserError(f'no run in {folder}: it does not exist')
    runs = {  # runs/* may hold other folders and files
        _name(folder, folders): folder
        for folder in folders
        if (folder / 'config.json').is_file()
    }
    if not runs:
        raise UserError(f'no run in {", ".join(workdirs)}: none has a config.json')
    configs = {name: run_folder.read_config(folder) for name, folder in runs.items()}
    body = [
        '<h1>Runs compared</h1>',
        _legend(list(runs)),
        '<h2>Metrics</h2>',
        _metrics({name: _results(folder) for name, folder in runs.items()}),
        '<h2>Curves</h2>',
        _curves([scalars(folder) for folder in runs.values()]),
        '<h2>Samples</h2>',
        _pictures(runs),
        '<h2>What differs in the configs</h2>',
        _configs(configs),
    ]
    html_page = page('Runs compared', body)
    path = Path(out)
    try:
        path.write_text(html_page)
    except OSError as error:
        raise UserError(f'cannot write {out}: {error.strerror}') from error
    return path


def page(title: str, body: list[str], head: str = '') -> str:
    """A page of HTML in one file; `head`: more of its head."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{head}'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{_text(title)}</title><style>{STYLE}</style></head>'
        f'<body>{"".join(body)}</body></html>'
    )


def figure(caption: str, file: Path) -> str:
    """A PNG file as a figure of a page."""
    data = base64.b64encode(file.read_bytes()).decode()
    return (
        f'<figure><img alt="{_text(caption)}" src="data:image/png;base64,{data}">'
        f'<figcaption>{_text(caption)}</figcaption></figure>'
    )


def _name(folder: Path, folders: list[Path]) -> str:
    """As much of the end of its path as tells a folder from the others."""
    parts = [other.resolve().parts for other in folders]
    own = folder.resolve().parts
    count = 1
    while sum(other[-count:] == own[-count:] for other in set(parts)) > 1:
        count += 1
    return '/'.join(own[-count:])


def _results(folder: Path) -> dict:
    """{name: result} of a run: its summary, then what was evaluated afterwards."""
    lines = [
        run_folder.read_summary(folder),
        *files.json_lines(folder / 'evaluation.jsonl'),
    ]
    results: dict = {}
    for line in lines:
        metrics = line.get('metrics')
        if isinstance(metrics, dict):
            results |= {
                name: result
                for name, result in metrics.items()
                if isinstance(result, dict) and result.keys() >= {'value', 'protocol'}
            }
    return results


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """{name: [(step, value)]} of the record of a run."""
    curves: dict[str, list] = {}
    for line in files.json_lines(folder / 'metrics.jsonl'):
        step = line.pop('step', None)
        for name, value in line.items():
            if isinstance(step, int) and isinstance(value, int | float):
                curves.setdefault(name, []).append((step, value))
    return curves


def _differ(results: list[dict]) -> list[str]:
    """How the protocols of one metric differ between runs, but for the step."""
    cards = [Card(**r['card']) for r in results if _has_card(r)]
    if cards:
        return sorted({d for card in cards[1:] for d in differences(cards[0], card)})
    plain = {re.sub(r'step \d+', '', r['protocol']) for r in results if r}
    return sorted(map(_without_folders, plain)) if len(plain) > 1 else []


def _has_card(result: dict) -> bool:
    card = result.get('card')
    if not isinstance(card, dict):
        return False
    required = Card._fields[: -len(Card._field_defaults)]  # older ones lack the others
    return set(required) <= card.keys() <= set(Card._fields)


def _legend(names: list[str]) -> str:
    spans = [
        f'<span style="color:{COLOURS[i % len(COLOURS)]}">&#9632;</span> {_text(n)}'
        for i, n in enumerate(names)
    ]
    return f'<p>{" &nbsp; ".join(spans)}</p>'


def _metrics(results: dict[str, dict]) -> str:
    """A row a metric, a column a run, and a warning where protocols differ."""
    names = list(dict.fromkeys(name for run in results.values() for name in run))
    rows = []
    for name in names:
        of_runs = [run.get(name, {}) for run in results.values()]
        differ = _differ(of_runs)
        warning = _flag('not comparable: ' + '; '.join(differ)) if differ else ''
        cells = ''.join(_cell(result) for result in of_runs)
        rows.append(f'<tr><td>{_text(name)}{warning}</td>{cells}</tr>')
    return _table(list(results), rows)


def _flag(text: str) -> str:
    return f'<br><small class="flag">{_text(text)}</small>'


def _table(columns: list[str], rows: list[str]) -> str:
    head = ''.join(f'<th>{_text(name)}</th>' for name in columns)
    table = f'<table><tr><th></th>{head}</tr>{"".join(rows)}</table>'
    return f'<div class="wide">{table}</div>'


def _cell(result: dict) -> str:
    if not result:
        return '<td></td>'
    extra = ''
    if _has_card(result):
        card = result['card']
        if card['spread'] is not None:
            extra += f' <small>± {card["spread"]:.2g}</small>'
        if card['null'] is not None:
            extra += f'<br><small>baseline {card["null"]:.4g}</small>'
        extra += ''.join(_flag(flag) for flag in card['flags'])
    protocol = (
        '<details><summary>protocol</summary>'
        f'{_text(_without_folders(result["protocol"]))}</details>'
    )
    return f'<td class="n">{result["value"]:.5g}{extra}{protocol}</td>'


def _curves(runs: list[dict]) -> str:
    names = sorted({name for run in runs for name in run})
    groups = {}
    for name in names:
        figures = groups.setdefault(name.partition('/')[0], [])
        lines = [
            (COLOURS[i % len(COLOURS)], run[name])
            for i, run in enumerate(runs)
            if len(run.get(name, ())) > 1
        ]
        if lines:
            figures.append(
                f'<figure>{plot(lines)}<figcaption>{_text(name)}</figcaption></figure>'
            )
    folded = {name: fs for name, fs in groups.items() if len(fs) > FOLD}
    open_ = [f for name, fs in groups.items() if name not in folded for f in fs]
    return f'<div class="row">{"".join(open_)}</div>' + ''.join(
        f'<details class="wide"><summary>{_text(name)}, {len(figures)} curves</summary>'
        f'<div class="row">{"".join(figures)}</div></details>'
        for name, figures in folded.items()
    )


def plot(
    lines: list[tuple[str, list[tuple[int, float]]]],
    width: int = 320,
    height: int = 150,
) -> str:
    """An SVG of [(colour, [(step, value)])], with the ranges at its edges."""
    points = [p for _, line in lines for p in line]
    (left, right), (low, high) = (
        (min(axis), max(axis)) for axis in zip(*points, strict=True)
    )
    across, up = (right - left) or 1, (high - low) or 1

    def place(step, value):
        x = 44 + (width - 54) * (step - left) / across
        return f'{x:.1f},{8 + (height - 30) * (high - value) / up:.1f}'

    drawn = ''.join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" '
        f'points="{" ".join(place(*p) for p in line[:: 1 + len(line) // 400])}"/>'
        for colour, line in lines
    )
    labels = ''.join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="10" fill="#777">'
        f'{label}</text>'
        for x, y, anchor, label in (
            (40, 14, 'end', f'{high:.4g}'),
            (40, height - 22, 'end', f'{low:.4g}'),
            (44, height - 6, 'start', left),
            (width - 10, height - 6, 'end', right),
        )
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<path d="M44 8V{height - 22}H{width - 10}" fill="none" stroke="#ccc"/>'
        f'{drawn}{labels}</svg>'
    )


def _pictures(folders: dict[str, Path]) -> str:
    figures = []
    for name, folder in folders.items():
        pictures = sorted((folder / 'samples').glob('*.png'))[-1:]
        pictures += [f for f in (folder / 'reconstructions.png',) if f.exists()]
        pictures += sorted(folder.glob('originality_*.png'))
        for file in pictures:
            figures.append(figure(f'{name}: {file.relative_to(folder)}', file))
    return f'<div class="row">{"".join(figures)}</div>'


def _configs(configs: dict) -> str:
    flat = {name: config_lib.flatten(config) for name, config in configs.items()}
    keys = dict.fromkeys(key for config in flat.values() for key in config)
    rows = [
        f'<tr><td>{key}</td>'
        + ''.join(f'<td class="n">{_setting(f.get(key))}</td>' for f in flat.values())
        + '</tr>'
        for key in keys
        if key != 'name' and len({repr(f.get(key)) for f in flat.values()}) > 1
    ]
    return _table(list(configs), rows) if rows else '<p>Nothing.</p>'


def _setting(value) -> str:
    """A value of a config, '' for a key that a run does not have."""
    return '' if value is None else _text(_without_folders(repr(value)))


def _without_folders(text: str) -> str:
    """A text with the last part of a path alone, as in folder:pictures/of/mine."""
    return re.sub(r'(?<=[\s:\'"=])[/~].*/(?=[^/\'"])', '', text)


def _text(value) -> str:
    return html.escape(str(value))
