"""The page in a real browser: each screen by clicks and drawing, as a person uses it.

Needs Playwright (extra `browser`) and Debian's or another Chromium on PATH.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gan_vae import config as config_lib
from gan_vae.art import __main__ as art

playwright = pytest.importorskip('playwright.sync_api', reason='the extra browser')
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason='no Chromium here'),
    pytest.mark.xdist_group('browser'),
]
QUIET = '--disable-background-networking --disable-component-update --disable-sync'


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """A studio in a folder of its own; its address with the token, and its process."""
    folder = tmp_path_factory.mktemp('studio')
    pixels = np.zeros((48, 64, 3), np.uint8) + np.uint8([40, 90, 160])
    pixels[16:32, 24:40] = 230, 120, 40
    Image.fromarray(pixels).save(folder / 'mine.png')
    Image.fromarray(pixels[:, ::-1, ::-1].copy()).save(folder / 'style.png')
    words = [sys.executable, '-m', 'gan_vae', 'studio', '--no-browser']
    process = subprocess.Popen(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)},
    )
    address = re.search(r'http\S+', process.stdout.readline())[0]
    yield SimpleNamespace(address=address, folder=folder, process=process)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130


@pytest.fixture(scope='module')
def context(server):
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=CHROMIUM, args=['--no-sandbox', *QUIET.split()]
        )
        context = browser.new_context(
            viewport={'width': 1280, 'height': 900}, accept_downloads=True
        )
        page = context.new_page()
        page.goto(server.address)
        page.wait_for_selector('h1')
        page.close()
        yield context
        browser.close()


@pytest.fixture
def page(server, context):
    """A tab, of which every fault of the page is a fault of the test."""
    faults, page = [], context.new_page()
    origin = server.address.partition('/?')[0]
    page.set_default_timeout(90_000)
    page.on('console', lambda m: m.type == 'error' and faults.append(m.text))
    page.on('pageerror', lambda error: faults.append(str(error)))
    page.on(
        'request',
        lambda r: (
            r.url.startswith((origin, 'data:', f'blob:{origin}'))
            or faults.append(r.url)
        ),
    )
    page.origin = origin
    yield page
    assert not page.is_visible('#notice'), page.inner_text('#notice')
    page.close()
    assert faults == []


def go(page, screen):
    page.goto(f'{page.origin}/#/{screen}')
    page.wait_for_selector('h1')


def press(page, text):
    """Clicks a button, and waits for what it started."""
    page.click(f'main button:has-text("{text}") >> nth=0')
    page.wait_for_selector(f'main button:has-text("{text}"):not([disabled])')


def model(page, name):
    page.select_option('#model', label=name)
    page.wait_for_timeout(200)


def test_a_portrait_is_kept_has_a_child_and_is_made_again(page, server, monkeypatch):
    go(page, 'sample')
    model(page, 'emoji_vae')
    page.wait_for_selector('button:has-text("Draw")')
    press(page, 'Draw')
    page.wait_for_selector('.tile img')
    first = page.locator('.stage .tile').first
    first.hover()
    first.locator('.keep').click()
    page.wait_for_selector('.tile > .keep[aria-pressed=true]')
    first.locator('button').first.click()
    page.wait_for_selector('dialog[open] code')
    line = page.inner_text('dialog code')
    page.click('dialog button:has-text("Make it again")')
    page.wait_for_selector('text=Made again: the same, bit for bit.')
    with page.expect_download() as download:
        page.click('dialog a:has-text("Without its record")')
    assert b'gan_vae' not in open(download.value.path(), 'rb').read()
    page.click('dialog a:has-text("Breed")')
    page.wait_for_selector('text=choose 1 more')
    page.locator('.stage .tile > button:first-child').nth(3).click()
    page.click('button:has-text("Make children of 2")')
    page.wait_for_selector('text=choose 2 more')
    assert page.locator('.tree button').count() >= 2
    page.locator('.tree button').first.click()
    page.wait_for_selector('.tree button[aria-pressed=true] >> text=sample')
    monkeypatch.chdir(server.folder)
    words = line.rpartition(' && ')[2].split()[2:]
    assert art.main([*words, '--out=by-hand']) == 0
    mine = next((server.folder / 'art/studio').glob('sample-*/00000.png'))
    assert (server.folder / 'by-hand/00000.png').read_bytes() == mine.read_bytes()


def test_sliders_change_a_picture_at_once_and_it_is_kept(page):
    go(page, 'shape')
    model(page, 'emoji_vae')
    press(page, 'Find directions')
    slider = page.locator('fieldset input[type=range]').first
    image = page.locator('.hero img')
    before = image.get_attribute('src')
    slider.evaluate('e => { e.value = e.max; e.dispatchEvent(new Event("input")) }')
    page.wait_for_timeout(1500)
    assert image.get_attribute('src') != before
    press(page, 'Keep this')
    page.wait_for_selector('dialog[open] >> text=--along')


def test_a_picture_of_mine_is_found_repaired_and_styled(page, server):
    go(page, 'sample')
    model(page, 'emoji_vae')
    go(page, 'home')
    page.set_input_files('input[type=file]', str(server.folder / 'mine.png'))
    page.wait_for_selector('text=What do you want to do with it?')
    page.click('a:has-text("Repair it")')
    canvas = page.wait_for_selector('.painter canvas')
    press(page, 'a filter')
    page.wait_for_selector('#notice >> text=Nothing is painted')
    box = canvas.bounding_box()
    x, y = box['x'] + box['width'] / 2, box['y'] + box['height'] / 2
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=5)
    page.mouse.up()
    press(page, 'Compare the ways')
    ways = page.locator('.result .grid.large').first.locator('.tile, p')
    assert ways.count() == 3  # a filter, a network, the model
    page.locator('.result .grid.large .tile > button').first.click()
    page.wait_for_selector('.result h2:has-text("Fill what I paint by a filter")')
    page.locator('.wipe input').first.press('End')
    page.click('.tabs button:has-text("Adjust")')
    page.locator('input[aria-label="Contrast"]').evaluate(
        'e => { e.value = 1.5; e.dispatchEvent(new Event("input")) }'
    )
    press(page, 'Do it')
    page.wait_for_selector('.result code >> text=--contrast=1.5')
    model(page, 'emoji_vae')
    page.wait_for_selector('.painter canvas')  # the picture is in the address
    page.click('.tabs button:has-text("Less noise")')
    page.click('main button:has-text("the model above")')
    page.click('.job button:has-text("Stop"):not([disabled])')  # the best so far
    page.wait_for_selector('.result h2:has-text("by the model above")')
    for tab, does in (('Less noise', 'filter'), ('Larger', 'trained network')):
        page.click(f'.tabs button:has-text("{tab}")')
        press(page, does)
    page.locator('.result .tile > button').first.click()
    page.click('dialog a:has-text("Style")')
    page.wait_for_selector('.painter')
    page.set_input_files('.controls input[type=file]', str(server.folder / 'style.png'))
    page.wait_for_selector('button:has-text("Show all ways"):not([disabled])')
    press(page, 'Show all ways')
    assert page.locator('.grid.large .tile').count() >= 2
    press(page, 'Full size')
    page.wait_for_selector('.wipe')


def test_found_in_a_model(page, server):
    go(page, 'mine')
    model(page, 'emoji_vae')
    page.set_input_files('input[type=file]', str(server.folder / 'mine.png'))
    page.wait_for_selector('.hero img')
    page.locator('input[type=range]').first.evaluate('e => { e.value = 50 }')
    press(page, 'Find it')
    page.wait_for_selector('a:has-text("Shape it")')


def test_words_are_text_and_nothing_else(page):
    """Markup in a prompt is shown as it was typed, and runs nowhere."""
    go(page, 'sample')
    model(page, 'prompt_art')
    page.wait_for_selector('.chip')
    evil = '<img src=x onerror=alert(1)> red cactus'
    page.fill('textarea', evil)
    page.locator('input[type=range]').first.evaluate(
        'e => { e.value = 4; e.dispatchEvent(new Event("input")) }'
    )
    press(page, 'Draw')
    page.wait_for_selector('.recipe code')
    assert evil in page.inner_text('.recipe code')
    assert page.locator('img[src="x"]').count() == 0
    page.locator('.stage .tile > button').first.click()
    page.wait_for_selector('dialog >> text=Change its words')


def test_a_taste_is_asked_for_and_ranked(page):
    go(page, 'taste')
    press(page, 'Begin')
    for key in ('ArrowLeft', 'ArrowRight', 'ArrowLeft'):
        count = page.inner_text('[role=status] >> nth=-1')
        page.keyboard.press(key)
        page.wait_for_timeout(600)
        assert page.inner_text('[role=status] >> nth=-1') != count
    press(page, 'Write the ranking')
    page.wait_for_selector('img[alt="The pictures by rank"]')


def test_a_picture_is_translated(page, server):
    go(page, 'translate')
    model(page, 'emoji_gan')
    page.wait_for_selector('text=does not translate pictures')
    model(page, 'restore')
    page.wait_for_selector('button:has-text("Translate")')
    page.set_input_files('input[type=file]', str(server.folder / 'mine.png'))
    page.wait_for_selector('.hero img')
    press(page, 'Translate')
    page.wait_for_selector('.wipe')


def test_a_training_is_watched(page, server):
    go(page, 'watch')
    page.wait_for_selector('text=No runs are here yet')
    run = server.folder / 'runs' / 'mine'
    (run / 'checkpoints').mkdir(parents=True)
    config = config_lib.load('configs/dcgan_emoji.py:tiny', {'train.steps': '50'})
    (run / 'config.json').write_text(config_lib.to_json(config))
    Image.new('RGB', (32, 32), 'teal').save(run / 'data.png')
    with open(run / 'metrics.jsonl', 'w') as file:
        for step in range(1, 31):
            line = {'step': step, 'train/loss_g': 1 / step}
            line |= {'perf/images_per_second': config.data.batch_size * 2.0}
            file.write(json.dumps(line) + '\n')
    page.wait_for_selector('h2:has-text("mine")')
    text = page.inner_text('main')
    assert 'step 30 of 50' in text and 'about 10 s left' in text
    page.wait_for_selector('.chart:has-text("train/loss_g") polyline')
    page.wait_for_selector('.hero img')


def test_other_screens_say_what_is_missing(page):
    go(page, 'sample')
    model(page, 'restore')
    page.wait_for_selector('text=draws nothing of its own')
    go(page, 'breed')
    page.wait_for_selector('text=cannot be mixed')
    go(page, 'album')
    page.wait_for_selector('text=Everything that was made')


def test_a_job_is_stopped_and_survives_a_reload_but_not_its_page(page, server, context):
    go(page, 'repair')
    page.set_input_files('input[type=file]', str(server.folder / 'mine.png'))
    page.click('.tabs button:has-text("Less noise")')
    page.click('main button:has-text("untrained")')
    page.wait_for_selector('.job progress[max]')
    page.reload()
    page.wait_for_selector('.job progress[max]')  # it goes on
    page.click('.job button:has-text("Stop")')
    page.wait_for_selector('.job', state='detached')
    other = context.new_page()
    other.goto(f'{page.origin}/#/album')
    other.wait_for_selector('h3:has-text("denoise")')  # the same album
    other.goto(f'{page.origin}/#/repair')
    other.set_input_files('input[type=file]', str(server.folder / 'mine.png'))
    other.click('.tabs button:has-text("Less noise")')
    other.click('main button:has-text("untrained")')
    other.wait_for_selector('.job progress[max]')
    other.close()  # for good: the job ends, and the next one begins
    begin = time.monotonic()
    go(page, 'sample')
    model(page, 'emoji_vae')
    page.wait_for_selector('button:has-text("Draw")')
    press(page, 'Draw')
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize('width', [390, 1280])
def test_no_screen_is_wider_than_the_window(page, width):
    page.set_viewport_size({'width': width, 'height': 800})
    for link in ('home', 'sample', 'breed', 'shape', 'repair', 'style', 'album'):
        go(page, link)
        page.wait_for_timeout(400)
        assert page.evaluate('document.documentElement.scrollWidth') <= width
        unnamed = page.evaluate(
            '[...document.querySelectorAll("button, input:not([hidden]), select, img")]'
            '.filter(e => e.offsetParent && !(e.innerText || e.labels?.length || '
            'e.ariaLabel || e.alt || e.title || e.textContent)).map(e => e.outerHTML)'
        )
        assert unnamed == [], link
