"""What README and docs/ name exists: files, headings, configs, keys, modules."""

import importlib.util
import re
from pathlib import Path

import pytest

from gan_vae import config as config_lib
from gan_vae.config import default, sections

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r'^#+ (.*)$', page.read_text(), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-') for h in headings}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r'\]\(([^)]+)\)', page.read_text()):
        if link.startswith('http'):
            continue
        path, _, anchor = link.partition('#')
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_commands_name_what_exists(page):
    text = page.read_text()
    methods = (*sections.methods(), 'examples.began')
    configs = [default.get_config(method) for method in methods]
    keys = {key for config in configs for key in config_lib.flatten(config)}
    assert set(re.findall(r'--config\.(\w+\.\w+)', text)) <= keys
    for file in re.findall(r'(?:configs|experiments)/\w+\.py\b', text):
        assert (ROOT / file).exists(), file
    for module in re.findall(r'python3? -m ((?:gan_vae|benchmarks|docs)[\w.]*)', text):
        module = module.removesuffix('.')
        assert module == 'benchmarks.NAME' or importlib.util.find_spec(module), module
    assert not re.search(r"pip install (?!-)'?\.", text), 'an install that is no clone'


def test_every_page_and_notebook_is_in_the_site():
    docs = ROOT / 'docs'
    nav = (docs / 'site' / 'zensical.toml').read_text()
    named = set(re.findall(r'= "([\w/]+\.md)"', nav))
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob('*.md')}
    pages |= {f'notebooks/{file.stem}.md' for file in docs.glob('notebooks/*.py')}
    assert pages <= named
    assert all(n.startswith('reference/') for n in named - pages - {'models.md'})
