"""A studio without a network: its application, entered as a browser enters it."""

import io
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('starlette', reason='the extra studio')

from starlette.testclient import TestClient

from gan_vae.studio import app, guard, jobs
from gan_vae.studio.album import Album
from gan_vae.studio.models import Models
from gan_vae.studio.studio import Studio

PAGE = {'origin': 'http://testserver', 'x-studio': 'p'}


def png(width=8, height=8, seed=0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, 'PNG')
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """Those of other tests in this process stay."""
    monkeypatch.setattr(jobs, 'FRESH', 10**9)


@pytest.fixture
def studio(tmp_path, monkeypatch):
    """client, studio, guard, folder; ask(method, path, ...) as the page asks; wait(id)
    for the end of a job."""
    monkeypatch.chdir(tmp_path)
    album = Album(Path('album'), 50_000_000)
    monkeypatch.chdir(album.folder)
    it = Studio(Models([], tmp_path / 'runs'), album)
    it.streams['p'] = 1  # it is open
    guarded = guard.Guard(app.make(it), {'testserver'})
    client = TestClient(guarded, follow_redirects=False, raise_server_exceptions=False)
    token = guarded.token
    assert client.get(f'/?token={token}').status_code == 303

    def ask(method, path, **more):
        headers = PAGE | more.pop('headers', {})
        return client.request(method, path, headers=headers, **more)

    def wait(number, seconds=60):
        end = time.monotonic() + seconds
        while (job := it.jobs.every[number]).state in ('waiting', 'running'):
            assert time.monotonic() < end, job
            time.sleep(0.01)
        return job

    return SimpleNamespace(
        client=client,
        studio=it,
        guard=guarded,
        token=token,
        folder=tmp_path / 'album',
        ask=ask,
        wait=wait,
    )
