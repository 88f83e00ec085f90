"""The page: the works as data in a template, with A-Frame inside.

A-Frame 1.7.1 (MIT, https://aframe.io) is fetched once: python -m gan_vae.data.prepare
aframe.
"""

import base64
import html
import io
import json
import re
from pathlib import Path

from PIL import Image

from gan_vae.data import packages, prepared
from gan_vae.errors import UserError
from gan_vae.gallery.works import Work

TEMPLATE = Path(__file__).parent / 'static' / 'gallery.html'
SCRIPT, LICENCE = 'package/dist/aframe-v1.7.1.min.js', 'package/LICENSE'
LEAST = 512  # pixels of the longer side of a picture on the page


def made(works: list[Work], title: str) -> str:
    """The page; a UserError where A-Frame is not there."""
    script, licence = _library()
    numbers = {work.key: number for number, work in enumerate(works) if work.key}
    shown = [
        {
            'title': work.title,
            'lines': work.lines,
            'source': _encoded(work.picture),
            'ratio': work.picture.width / work.picture.height,
            'parents': [numbers[p] for p in work.parents if p in numbers],
        }
        for work in works
    ]
    parts = {
        'TITLE': html.escape(title),
        'WORKS': json.dumps({'title': title, 'works': shown}).replace('<', '\\u003c'),
        'LICENCE': html.escape(licence),
        'SCRIPT': script.replace('</script', '<\\/script'),
    }
    page = TEMPLATE.read_text('utf-8')
    page = re.sub(f'@({"|".join(parts)})@', lambda found: parts[found[1]], page)
    return page.encode('utf-8', 'replace').decode('utf-8')  # names of odd bytes


def _encoded(picture: Image.Image) -> str:
    """A picture as the address that it has on the page. Few pixels stay squares."""
    side = max(picture.size)
    if side < LEAST:
        zoom = -(-LEAST // side)
        size = picture.width * zoom, picture.height * zoom
        picture = picture.resize(size, Image.Resampling.NEAREST)
    paper = Image.new('RGBA', picture.size, 'white')
    paper.alpha_composite(picture)
    buffer = io.BytesIO()
    kind = ('WEBP', {'lossless': True}) if side < LEAST else ('JPEG', {'quality': 90})
    paper.convert('RGB').save(buffer, kind[0], **kind[1])
    raw = base64.b64encode(buffer.getvalue()).decode()
    return f'data:image/{kind[0].lower()};base64,{raw}'


def _library() -> tuple[str, str]:
    """The script of A-Frame, and its licence."""
    package = packages.AFRAME
    file = prepared.data_dir('') / 'downloads' / package.file_name
    if not file.is_file():
        raise UserError(
            f'a gallery needs {package.file_name}: run once '
            'python -m gan_vae.data.prepare aframe'
        )
    packages.check(file, package)
    found = dict(packages.read(file, (SCRIPT, LICENCE)))
    return found[SCRIPT].decode(), found[LICENCE].decode()
