"""The notebooks of docs/notebooks, each a Python file, as pages with their outputs."""

import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext

FILES = sorted((Path(__file__).parents[1] / 'notebooks').glob('*.py'))
AT_A_TIME = 2  # each has a process of its own
LIMIT = 900  # seconds of a cell, and of the start of Python, on a busy machine


def pages(folder: Path, quick: bool) -> dict[str, str]:
    """{path below `folder`: Markdown}; pictures that cells show are written there."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        texts = list(pool.map(lambda file: _page(file, folder, quick), FILES))
    return {f'notebooks/{f.stem}.md': t for f, t in zip(FILES, texts, strict=True)}


def _page(file: Path, folder: Path, quick: bool) -> str:
    """The Markdown of a notebook, which has run in an empty folder unless `quick`."""
    command = [sys.executable, '-m', 'nbconvert', '--to=markdown', '--log-level=ERROR']
    limits = [
        f'--ExecutePreprocessor.{name}={LIMIT}'
        for name in ('timeout', 'startup_timeout')
    ]
    command += [] if quick else ['--execute', *limits]
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        jupytext.write(jupytext.read(file), empty / f'{file.stem}.ipynb')
        if subprocess.run([*command, f'{file.stem}.ipynb'], cwd=empty).returncode:
            sys.exit(f'{file} has failed: see above')
        text = (empty / f'{file.stem}.md').read_text('utf-8')
        pictures = f'{file.stem}_files'
        if (empty / pictures).is_dir():
            shutil.copytree(empty / pictures, folder / 'notebooks' / pictures)
    note = (
        f'*This page is the notebook `docs/notebooks/{file.name}`. `python '
        f'docs/notebooks/{file.name}` runs it, and `pip install jupytext && jupytext '
        f'--to ipynb docs/notebooks/{file.name}` makes a file for Jupyter of it. Its '
        'numbers repeat, and its times do not.*'
    )
    # lines that a cell has printed one by one are outputs of their own
    text = re.sub(r'^(    .*)\n\n\n(?=    )', r'\1\n', text, flags=re.MULTILINE)
    title, _, rest = text.strip().partition('\n')
    return f'{title}\n\n{note}\n{rest}'
