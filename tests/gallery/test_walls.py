"""The walls of a gallery in a real browser, without a network."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('playwright', reason='the extra browser')

from playwright import sync_api as playwright

from gan_vae import images
from gan_vae.data import packages, prepared
from gan_vae.gallery import __main__ as gallery

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
LIBRARY = prepared.data_dir() / 'downloads' / packages.AFRAME.file_name
ARGS = ['--no-sandbox', '--disable-background-networking', '--ignore-gpu-blocklist']
ARGS += ['--use-angle=swiftshader', '--enable-unsafe-swiftshader']


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason='no Chromium here')
@pytest.mark.skipif(not LIBRARY.is_file(), reason='prepare aframe was not run')
@pytest.mark.parametrize('drawn', [True, False])
def test_one_walks_from_work_to_work(tmp_path, drawn):
    """drawn: the browser draws in three dimensions; else there is a list."""
    colours = {'red': (220, 30, 30), 'green': (30, 200, 30), 'blue': (30, 30, 220)}
    for name, colour in colours.items():
        picture = np.full((40, 40, 3), colour, np.uint8)
        images.save_png(tmp_path / f'{name}.png', picture)
    places = [str(tmp_path / f'{name}.png') for name in colours]
    out = tmp_path / 'show.html'
    assert gallery.main([*places, f'--out={out}', '--title=Three <b>colours</b>']) == 0
    asked = []
    with playwright.sync_playwright() as p:
        args = ARGS if drawn else [*ARGS[:2], '--disable-gpu', '--disable-3d-apis']
        browser = p.chromium.launch(executable_path=CHROMIUM, args=args)
        page = browser.new_page(viewport={'width': 640, 'height': 400})
        page.emulate_media(reduced_motion='reduce')
        page.on('request', lambda r: asked.append(r.url))
        page.on('pageerror', lambda error: asked.append(f'error {error}'))
        page.goto(out.as_uri())
        if not drawn:
            page.wait_for_selector('figure >> nth=2')
            heads = page.locator('figcaption strong').all_inner_texts()
            assert page.get_by_role('heading').inner_text() == 'Three <b>colours</b>'
            assert page.locator('#label').is_hidden() and heads == list(colours)
        else:
            page.wait_for_selector('a-scene canvas')
            page.wait_for_function('document.querySelector("a-scene").hasLoaded')
            for number, (name, colour) in enumerate(colours.items()):
                page.keyboard.press('ArrowRight')
                page.wait_for_function(f'document.body.dataset.at == {number}')
                page.wait_for_timeout(1500)
                assert name in page.inner_text('#label h2')
                seen = Image.open(io.BytesIO(page.screenshot())).convert('RGB')
                middle = np.asarray(seen)[150:250, 270:370].mean((0, 1))
                assert np.abs(middle - colour).max() < 40, (name, middle)
            page.get_by_role('button', name='Next').click()
            assert 'Three <b>colours</b>' in page.inner_text('#label h2')
            page.get_by_role('button', name='List').click()
            assert page.locator('figure').count() == 3
            page.get_by_role('button', name='Walk').click()
            assert page.locator('#label').is_visible()
        browser.close()
    assert all(url.startswith(('file:', 'blob:', 'data:')) for url in asked), asked
