"""The page of --to=browser draws the pictures of the model, without a network."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip('playwright', reason='the extra browser')
pytest.importorskip('onnxruntime', reason='the extra export')

from playwright import sync_api as playwright

from gan_vae.data import packages, prepared
from gan_vae.export import __main__ as command
from gan_vae.methods import sampling
from gan_vae.runs import opened

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
RUNTIME = prepared.data_dir() / 'downloads' / packages.ONNXRUNTIME_WEB.file_name


def test_without_its_runtime_it_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'data'))
    out = f'--out={tmp_path / "out"}'
    words = ['--workdir=pretrained:emoji_gan', out, '--to=browser']
    assert command.main(words) == 2
    assert 'prepare onnxruntime_web' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason='no Chromium here')
@pytest.mark.skipif(not RUNTIME.is_file(), reason='prepare onnxruntime_web was not run')
@pytest.mark.parametrize('name', ['art_vae', 'emoji_gan'])
def test_it_draws_what_the_model_draws(name, tmp_path):
    out = tmp_path / 'out'
    words = [f'--workdir=pretrained:{name}', f'--out={out}', '--to=browser']
    assert command.main(words) == 0
    page_text = (out / 'draw.html').read_text()
    # the page's own z, for a comparison
    seen = 'const given = { z: new'
    assert page_text.count(seen) == 1
    page_text = page_text.replace(seen, f'window.seen = [...z]; {seen}')
    (out / 'draw.html').write_text(page_text)
    asked = []
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=CHROMIUM,
            args=['--no-sandbox', '--disable-background-networking'],
        )
        page = browser.new_page()
        page.on('request', lambda r: asked.append(r.url))
        page.on('pageerror', lambda error: asked.append(f'error {error}'))
        page.goto((out / 'draw.html').as_uri())
        page.wait_for_selector('text=pictures in', timeout=60_000)
        z = np.float32(page.evaluate('window.seen')).reshape(16, -1)
        drawn = page.evaluate(
            '[...document.querySelectorAll("canvas")].map(c => [...c.getContext("2d")'
            '.getImageData(0, 0, c.width, c.height).data])'
        )
        browser.close()
    assert all(url.startswith(('file:', 'blob:', 'data:')) for url in asked), asked
    model = opened.load(f'pretrained:{name}')
    label = np.arange(16) % model.method.classes if model.method.classes else None
    weights = model.method.settle(model.weights)
    wanted = sampling.decode(model.method, weights, z, label)
    side = json.loads(page_text.partition('id="config">')[2].partition('<')[0])['width']
    found = np.uint8(drawn).reshape(16, side, side, 4)[..., :3]
    assert np.abs(found.astype(int) - wanted).max() <= 1
