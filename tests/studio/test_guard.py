"""What is not let in: one line each, nothing is written, and the server goes on."""

import asyncio
import errno
import io
import json
import os
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.requests import Request

from gan_vae.studio import album, app
from gan_vae.studio.guard import ALWAYS
from tests.studio.conftest import PAGE, png

ROUTES = [
    ('GET', '/'),
    ('GET', '/api/events?page=p'),
    ('GET', '/api/tools'),
    ('GET', '/api/models'),
    ('POST', '/api/jobs'),
    ('DELETE', '/api/jobs/1'),
    ('GET', '/api/album'),
    ('PUT', '/api/pictures'),
    ('PUT', '/api/kept/1'),
    ('DELETE', '/api/results/1'),
    ('DELETE', '/api/results'),
    ('POST', '/api/preview'),
    ('POST', '/api/ranking'),
    ('GET', '/api/runs'),
    ('GET', '/files/1'),
]
CHANGES = [route for route in ROUTES if route[0] != 'GET']


def one_line(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.text.count('\n') == 1 and answer.text.endswith('\n')
    assert 'Traceback' not in answer.text
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value
    assert not any(h.startswith('access-control') for h in answer.headers)


def alive(studio):
    assert studio.ask('GET', '/api/album').status_code == 200


@pytest.mark.parametrize('method, path', ROUTES)
def test_another_name_of_this_machine_is_refused(studio, method, path):
    """DNS rebinding: a page of evil.example whose name now leads here."""
    headers = PAGE | {'host': 'evil.example', 'origin': 'http://evil.example'}
    one_line(studio.client.request(method, path, headers=headers), 400)


@pytest.mark.parametrize('method, path', ROUTES)
def test_without_the_cookie_nothing_is_told(studio, method, path):
    studio.client.cookies.clear()
    one_line(studio.client.request(method, path, headers=PAGE), 401)
    studio.client.cookies.set('studio', 'a guess')
    one_line(studio.client.request(method, path, headers=PAGE), 401)


@pytest.mark.parametrize('method, path', CHANGES)
def test_a_page_of_another_site_changes_nothing(studio, method, path):
    before = sorted(studio.folder.rglob('*'))
    for headers in (
        PAGE | {'origin': 'https://evil.example'},
        PAGE | {'origin': 'null'},
        {'x-studio': 'p'},  # no Origin
        {'origin': PAGE['origin']},  # what a form can send
    ):
        one_line(studio.client.request(method, path, headers=headers), 403)
    form = {'files': {'file': ('a.png', png(), 'image/png')}}
    evil = {'origin': 'https://evil.example'}
    one_line(studio.client.request(method, path, headers=evil, **form), 403)
    assert sorted(studio.folder.rglob('*')) == before


def test_the_token_works_once(studio):
    studio.client.cookies.clear()
    for token in (studio.token, 'x', ''):
        one_line(studio.client.get(f'/?token={token}'), 401)
    assert 'studio' not in studio.client.cookies


def test_who_is_known_may_come_again_whatever_other_cookies_there_are(studio):
    key = studio.client.cookies['studio']
    assert studio.client.get(f'/?token={studio.token}').status_code == 303
    studio.client.cookies.clear()
    odd = f'a={{"x": 1}}; b=two words; studio={key}; c'
    answer = studio.client.get('/api/album', headers={'cookie': odd})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    'name',
    [
        '../../../../etc/passwd',
        '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
        '..%5c..%5cwindows%5cwin.ini',
        '/etc/passwd',
        'kept.json',
        '.album',
        '%00',
        'a' * 5000,
    ],
)
def test_no_path_of_a_page_is_a_path(studio, name):
    (studio.folder / 'kept.json').write_text('["../../secret.png"]')
    (studio.folder.parent / 'secret.png').write_bytes(png())
    for method, place in (
        ('GET', '/files/'),
        ('GET', '/files/?side=96&x='),
        ('PUT', '/api/kept/'),
        ('DELETE', '/api/results/'),
        ('GET', '/api/runs/'),
        ('GET', '/static/'),
    ):
        answer = studio.ask(method, f'{place}{name}')
        assert answer.status_code in (307, 400, 404, 405), (place, answer.status_code)
        assert b'root:' not in answer.content and b'PNG' not in answer.content
    for asked in (
        {'tool': 'edit', 'inputs': [name], 'flags': {'zoom': 2}},
        {'tool': 'inpaint', 'inputs': [], 'flags': {'mask': name}},
        {'tool': 'sample', 'model': name},
        {'tool': 'sample', 'flags': {'out': name}},
        {'tool': 'sample', 'flags': {'workdir': name}},
        {'tool': 'index', 'inputs': [name], 'flags': {'features': 'os'}},
        {'tool': f'mine.{name}'},
        {'tool': 'reproduce', 'file': name},
    ):
        one_line(studio.ask('POST', '/api/jobs', json=asked), 400)
    assert not studio.studio.jobs.every and studio.studio.album.kept() == []


def bomb(width, height) -> bytes:
    """A PNG of so many pixels in a few kB."""

    def chunk(name, data):
        crc = struct.pack('>I', zlib.crc32(name + data))
        return struct.pack('>I', len(data)) + name + data + crc

    head = struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes((width // 8 + 1) * height), 9)
    parts = chunk(b'IHDR', head) + chunk(b'IDAT', data) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + parts


@pytest.mark.parametrize(
    'raw, message',
    [
        (bomb(20_000, 10_000), 'too large: at most 40 megapixels'),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG is not PNG'),
        (b'GIF89a/*' + b'\0' * 99 + b'*/=1;alert(1)', 'cannot be used'),
        (b'<html><script>alert(1)</script>', 'cannot be used'),
        (b'%PDF-1.7', 'PDF is not PNG'),
        (png()[:60], 'corrupt'),
        (b'', 'empty'),
    ],
)
def test_what_is_no_picture_is_not_kept(studio, raw, message):
    answer = studio.ask('PUT', '/api/pictures', content=raw)
    one_line(answer, 400)
    assert message in answer.text and not list(studio.folder.glob('given-*'))


def test_a_picture_that_is_a_page_too_is_served_as_a_picture(studio):
    raw = png() + b'<script>alert(1)</script>'
    name = studio.ask('PUT', '/api/pictures', content=raw).json()['id']
    answer = studio.ask('GET', f'/files/{name}')
    assert answer.headers['content-type'] == 'image/png' and answer.content == raw
    assert answer.headers['x-content-type-options'] == 'nosniff'
    plain = studio.ask('GET', f'/files/{name}?plain=1')
    assert b'script' not in plain.content and plain.status_code == 200


def test_bodies_end(studio, monkeypatch):
    monkeypatch.setattr(app, 'UPLOAD', 1000)

    def parts():
        for _ in range(100):
            yield b'x' * 100

    one_line(studio.ask('PUT', '/api/pictures', content=b'x' * 1001), 413)
    one_line(studio.ask('PUT', '/api/pictures', content=parts()), 413)
    long = {'content-length': '99999999999'}
    one_line(studio.ask('PUT', '/api/pictures', content=b'x', headers=long), 413)
    one_line(studio.ask('POST', '/api/jobs', content=b'{' * 100_000), 400)
    one_line(studio.ask('POST', '/api/jobs', content=b'[' * 100_000), 400)
    alive(studio)


def test_an_upload_that_stands_still_is_given_up(monkeypatch):
    monkeypatch.setattr(app, 'PATIENCE', 0.05)

    async def receive():
        await asyncio.sleep(60)

    scope = {'type': 'http', 'headers': [], 'method': 'PUT', 'path': '/'}
    with pytest.raises(app.Refused) as caught:
        asyncio.run(app.body(Request(scope, receive), 1000))
    assert caught.value.status == 408


def test_a_fault_of_ours_is_a_line(studio, monkeypatch):
    monkeypatch.setattr(studio.studio.album, 'listed', lambda: 1 / 0)
    one_line(studio.ask('GET', '/api/album'), 500)


def test_a_full_disk_and_a_damaged_picture_are_a_line(studio, monkeypatch):
    name = studio.ask('PUT', '/api/pictures', content=png()).json()['id']
    studio.studio.album.path(name).write_bytes(png()[:50])
    for query in ('?plain=1', '?side=96'):
        one_line(studio.ask('GET', f'/files/{name}{query}'), 404)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(album.files, 'write', full)
    one_line(studio.ask('PUT', '/api/pictures', content=png(seed=1)), 507)
    one_line(studio.ask('PUT', f'/api/kept/{name}'), 507)
    asked = {'tool': 'edit', 'inputs': [name], 'flags': {'zoom': 2}}
    number = studio.ask('POST', '/api/jobs', json=asked).json()['id']
    job = studio.wait(number)
    assert job.state == 'failed' and 'No space left' in job.error


@pytest.mark.parametrize(
    'asked',
    [
        None,
        [],
        {'tool': 3},
        {'tool': []},
        {'tool': 'sample', 'inputs': 'x'},
        {'tool': 'sample', 'inputs': [1]},
        {'tool': 'sample', 'flags': {'num': 'many'}},
        {'tool': 'sample', 'flags': {'num': {'a': 1}}},
        {'tool': 'sample', 'flags': {'seed': -1}},
        {'tool': 'sample', 'flags': {'prompt': 'x' * 501}},
        {'tool': 'sample', 'flags': {'prompt': 'two\nlines'}},
        {'tool': 'sample', 'flags': {'pairs': 'yes'}},
        {'tool': 'interpolate', 'inputs': [1, 2]},
        {'tool': 'edit', 'inputs': [1], 'flags': {'crop': 5}},
        {'tool': 'breed', 'inputs': [1]},
        {'tool': 'breed', 'inputs': list(range(65))},
        {'tool': 'codec'},
        {'tool': 'write'},
    ],
)
def test_what_is_not_offered_is_refused_before_it_begins(studio, asked):
    one_line(studio.ask('POST', '/api/jobs', json=asked), 400)
    assert not studio.studio.jobs.every


def test_gps_and_words_stay_out_of_a_plain_download(studio):
    picture = Image.open(io.BytesIO(png()))
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 0.0)
    exif[0x010E] = 'at home'
    buffer = io.BytesIO()
    picture.save(buffer, 'JPEG', exif=exif)
    assert b'at home' in buffer.getvalue()
    name = studio.ask('PUT', '/api/pictures', content=buffer.getvalue()).json()['id']
    raw = studio.ask('GET', f'/files/{name}?plain=1').content
    assert b'at home' not in raw and b'eXIf' not in raw
    words = PngInfo()
    made = {'digital_source_type': 'trainedAlgorithmicMedia', 'things': 'at home'}
    words.add_text('gan_vae', json.dumps(made))
    buffer = io.BytesIO()
    picture.save(buffer, 'PNG', exif=exif, pnginfo=words)
    name = studio.ask('PUT', '/api/pictures', content=buffer.getvalue()).json()['id']
    raw = studio.ask('GET', f'/files/{name}?plain=1').content
    assert b'eXIf' in buffer.getvalue() and b'eXIf' not in raw and b'tEXt' not in raw
    assert b'digitalsourcetype/trainedAlgorithmicMedia' in raw and b'home' not in raw
    words.add_text('gan_vae', json.dumps({'digital_source_type': '"><script>'}))
    buffer = io.BytesIO()
    picture.save(buffer, 'PNG', pnginfo=words)
    name = studio.ask('PUT', '/api/pictures', content=buffer.getvalue()).json()['id']
    assert b'script' not in studio.ask('GET', f'/files/{name}?plain=1').content
