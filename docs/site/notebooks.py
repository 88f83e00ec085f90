"""The notebooks of docs/notebooks, each a Python file, as pages with their outputs."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from traitlets.config import Config

FILES = sorted((Path(__file__).parents[1] / 'notebooks').glob('*.py'))
AT_A_TIME = 2  # each has a process of its own
LIMIT = 300  # seconds of a cell


def pages(folder: Path, quick: bool) -> dict[str, str]:
    """{path below `folder`: Markdown}; pictures that cells show are written there."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        texts = list(pool.map(lambda file: _page(file, folder, quick), FILES))
    return {f'notebooks/{f.stem}.md': t for f, t in zip(FILES, texts, strict=True)}


def _page(file: Path, folder: Path, quick: bool) -> str:
    """The Markdown of a notebook, which has run in an empty folder unless `quick`."""
    notebook = jupytext.read(file)
    if not quick:
        with tempfile.TemporaryDirectory() as empty:
            NotebookClient(
                notebook,
                timeout=LIMIT,
                resources={'metadata': {'path': empty}},
                config=Config(KernelManager={'transport': 'ipc'}),  # no ports
            ).execute()
    resources = {'unique_key': file.stem, 'output_files_dir': 'outputs'}
    text, resources = MarkdownExporter().from_notebook_node(notebook, resources)
    for name, content in resources['outputs'].items():
        picture = folder / 'notebooks' / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(content)
    note = (
        f'*This page is the notebook `docs/notebooks/{file.name}`: `jupytext --to '
        'ipynb` makes a file for Jupyter of it, and plain `python` runs it.*'
    )
    title, _, rest = text.strip().partition('\n')
    return f'{title}\n\n{note}\n{rest}'
