"""The site: built with its notebooks, whole, and nothing of it from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytestmark = pytest.mark.slow
NOTEBOOKS = Path(__file__).parents[1] / 'docs' / 'notebooks'
LOADS = {
    'script': 'src',
    'img': 'src',
    'link': 'href',
    'source': 'src',
    'iframe': 'src',
}


@pytest.fixture(scope='module')
def site(tmp_path_factory) -> Path:
    """The built site. The build is strict: a dead link in Markdown ends it."""
    for name in ('zensical', 'jupytext', 'nbconvert', 'ipykernel', 'latex2mathml'):
        pytest.importorskip(name, reason="pip install -e '.[docs]'")
    from docs.site.__main__ import build

    out = tmp_path_factory.mktemp('site') / 'site'
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv('XLA_FLAGS', raising=False)  # of the tests: several devices
        build(out)
    return out


class Links(HTMLParser):
    """What a page loads and links to, and its anchors."""

    def __init__(self, text: str):
        super().__init__()
        self.loads, self.links, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors |= {values.get('id'), values.get('name')}
        if tag == 'a' and values.get('href'):
            self.links.append(values['href'])
        elif values.get(LOADS.get(tag)) and values.get('rel') != 'canonical':
            self.loads.append(values[LOADS[tag]])


def test_nothing_is_loaded_from_elsewhere_and_every_link_leads_somewhere(site):
    pages = {page: Links(page.read_text('utf-8')) for page in site.rglob('*.html')}
    assert len(pages) > 80
    for page, found in pages.items():
        for target in found.loads:
            assert not re.match('https?:|//', target), (page, target)
        if page.name == '404.html':  # its links are from the root
            continue
        for target in (*found.loads, *found.links):
            if re.match('https?:|mailto:|data:', target):
                continue
            path, anchor = urldefrag(unquote(target))
            file = (page.parent / path).resolve() if path else page
            file = file / 'index.html' if file.is_dir() else file
            assert file.exists(), (page, target)
            if anchor and file.suffix == '.html':
                assert anchor in pages[file].anchors, (page, target)
    for sheet in site.rglob('*.css'):
        for target in re.findall(
            r'(?:url\(|@import)\s*["\']?([^"\')]+)', sheet.read_text()
        ):
            assert not re.match('https?:|//', target), (sheet, target)


def test_the_reference_is_that_of_the_code(site):
    from gan_vae import __all__ as names
    from gan_vae.art import tools
    from gan_vae.config import sections

    def has(page, words):
        text = Links((site / 'reference' / f'{page}.html').read_text('utf-8')).anchors
        assert not {word.lower() for word in words} - text

    has('tools', tools.names())
    has('python', names)
    for method in sections.methods():
        text = (site / 'reference' / f'method_{method}.html').read_text('utf-8')
        for key in sections.keys('method', method):
            assert f'<code>{key}</code>' in text, (method, key)


@pytest.mark.parametrize('file', NOTEBOOKS.glob('*.py'), ids=lambda file: file.stem)
def test_a_notebook_is_there_with_its_pictures(site, file):
    text = (site / 'notebooks' / f'{file.stem}.html').read_text('utf-8')
    assert 'Traceback' not in text
    assert f'{file.stem}_files/' in text, 'no picture that a cell has made'
