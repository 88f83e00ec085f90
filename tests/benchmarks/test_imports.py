"""What the scripts beside the package import of it is there, also inside functions."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ('benchmarks', 'docs', 'examples', 'experiments', 'configs')
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob('*.py'))


@pytest.mark.parametrize('file', FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_names_that_a_script_imports_exist(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        if not (node.module or '').startswith('gan_vae'):
            continue
        module = importlib.import_module(node.module)
        for name in node.names:
            if not hasattr(module, name.name):
                importlib.import_module(f'{node.module}.{name.name}')
