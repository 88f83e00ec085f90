"""Links of pages to the repository: to the page about it, or to a copy of the file."""

import ast
import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r'(\]\()(?!https?:|#|mailto:)([^)#\s]+)')
PAGES = {  # of the site, about folders of the repository
    'configs': 'reference/configs.md',
    'gan_vae/methods': 'reference/settings.md',
    'gan_vae/pretrained': 'models.md',
}


def bring(pages: Path):
    """Points each link that leaves the Markdown in `pages` to a page of the site."""
    for page in sorted(pages.rglob('*.md')):
        where = (ROOT / 'docs' / page.relative_to(pages)).parent

        def inside(match, page=page, where=where) -> str:
            target = Path(os.path.normpath(where / match[2]))
            if target.is_relative_to(ROOT) and target.exists():
                target = _page(target.relative_to(ROOT), pages)
                return match[1] + os.path.relpath(target, page.parent)
            return match[0]  # to a page that is made, which the build checks

        page.write_text(LINK.sub(inside, page.read_text('utf-8')), encoding='utf-8')


def _page(name: Path, pages: Path) -> Path:
    """Where the site has a file or folder of the repository."""
    if str(name) in PAGES:
        return pages / PAGES[str(name)]
    if name.parts[:2] == ('docs', 'notebooks'):
        return pages / 'notebooks' / f'{name.stem}.md'
    if name.parts[0] == 'docs' and name.suffix != '.py':
        return pages.joinpath(*name.parts[1:])
    target, copy = ROOT / name, pages / 'source' / name
    if target.is_dir():
        files = sorted(file for file in target.rglob('*') if _listed(file))
        lines = [
            f'- [{file.relative_to(target)}]'
            f'({os.path.relpath(_page(file.relative_to(ROOT), pages), copy)})'
            f'{_says(file)}'
            for file in files
        ]
        return _write(copy / 'index.md', f'# {name}\n\n' + '\n'.join(lines))
    if target.suffix == '.py':
        page = copy.with_name(f'{copy.name}.md')
        return _write(page, f'# {name}\n\n`````python\n{target.read_text()}`````')
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target, copy)
    return copy


def _listed(file: Path) -> bool:
    return file.suffix in ('.py', '.js', '.jsonl') and file.name != '__init__.py'


def _says(file: Path) -> str:
    """The first line of what a module says about itself."""
    if file.suffix != '.py':
        return ''
    text = ast.get_docstring(ast.parse(file.read_text('utf-8'))) or ''
    return ': ' + text.partition('\n')[0]


def _write(page: Path, text: str) -> Path:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text + '\n', encoding='utf-8')
    return page
