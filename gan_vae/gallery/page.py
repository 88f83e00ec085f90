"""The page: the works as data in a template, with A-Frame inside.

A-Frame 1.7.1 (MIT, https://aframe.io) is fetched once: python -m gan_vae.data.prepare
aframe.
"""

import base64
import html
import io
import json
from pathlib import Path

from PIL import Image

from gan_vae import files
from gan_vae.data import packages, prepared
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
    page = files.filled(TEMPLATE.read_text('utf-8'), parts)
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
    folder = prepared.data_dir() / 'downloads'
    file = packages.downloaded(packages.AFRAME, folder, 'aframe')
    members = dict(packages.read(file, (SCRIPT, LICENCE)))
    return members[SCRIPT].decode(), members[LICENCE].decode()
