"""python -m docs.site [--out=build/site] [--quick]

Builds the site of docs/: its pages, the reference from settings and docstrings, model
cards with samples, and the notebooks with what they compute. --quick leaves out what
computes: samples, and outputs of notebooks. Needs `pip install -e '.[docs]'`, and no
network. View it by `python -m http.server --directory=build/site`.
"""

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import latex2mathml.converter

from docs.site import cards, notebooks, reference, sources

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[([](.*?)\\[)\]]</\1>', re.S)
DOCS = Path(__file__).parents[1]


def stage(folder: Path, quick: bool):
    """All pages as Markdown in `folder`, with the pictures that they show."""
    shutil.copytree(
        DOCS, folder, ignore=shutil.ignore_patterns('site', 'notebooks', '*.py', '__*')
    )
    made = {
        **reference.pages(),
        **cards.pages(folder, quick),
        **notebooks.pages(folder, quick),
    }
    for name, text in made.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + '\n', encoding='utf-8')
    sources.bring(folder)


def build(out: Path, quick: bool = False):
    """Builds the site in the folder `out`, which is emptied. Raises SystemExit for a
    link that leads nowhere."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        stage(work / 'pages', quick)
        shutil.copy(DOCS / 'site' / 'zensical.toml', work)
        command = [sys.executable, '-m', 'zensical', 'build', '--strict']
        if subprocess.run(command, cwd=work).returncode:
            sys.exit('the site is not built: see above')
        for page in (work / 'site').rglob('*.html'):
            page.write_text(FORMULA.sub(_mathml, page.read_text('utf-8')), 'utf-8')
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(work / 'site', out)


def _mathml(formula: re.Match) -> str:
    """LaTeX as MathML, which browsers draw without a script."""
    kind = 'inline' if formula[1] == 'span' else 'block'
    return latex2mathml.converter.convert(html.unescape(formula[2]), display=kind)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--out', type=Path, default=Path('build/site'))
    parser.add_argument('--quick', action='store_true')
    flags = parser.parse_args()
    build(flags.out, flags.quick)
    print(f'site in {flags.out}')


if __name__ == '__main__':
    main()
