"""A gallery: what hangs, what is told of it, and a page that needs nothing else."""

import base64
import dataclasses
import hashlib
import io
import json
import re
import tarfile

import numpy as np
import pytest
from PIL import Image

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.data import packages
from gan_vae.errors import UserError
from gan_vae.gallery import __main__ as gallery
from gan_vae.gallery import page, works

BAD = '</script><img src=x onerror=alert(1)>'


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A small A-Frame, known by its own hash, where `prepare` would put it."""
    monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'sets'))
    package = packages.AFRAME
    path = tmp_path / 'sets' / 'downloads' / package.file_name
    path.parent.mkdir(parents=True)
    with tarfile.open(path, 'w:gz') as tar:
        for name, raw in ((page.SCRIPT, b'"</script>";'), (page.LICENCE, b'MIT')):
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = dataclasses.replace(package, sha256=digest)
    monkeypatch.setattr(packages, 'AFRAME', known)


@pytest.fixture
def pictures(tmp_path):
    """Two pictures, the second made of the first by a tool."""
    folder = tmp_path / 'pictures'
    random = np.random.default_rng(0)
    images.save_png(folder / 'one.png', random.integers(0, 256, (20, 30, 3), np.uint8))
    words = 'edit', str(folder / 'one.png'), '--exposure=1', f'--out={folder / "two"}'
    assert art.main(list(words)) == 0
    (folder / '.hidden.png').write_bytes(b'')
    (folder / 'torn.png').write_bytes(b'no picture')
    return folder


def test_works_hang_with_what_their_files_say(pictures):
    shown, notes = works.of([str(pictures)], 3, 0)
    assert [work.title for work in shown] == ['one', '00000']
    assert shown[1].lines == ('made by edit',)
    assert shown[1].parents == (shown[0].key,)
    assert len(notes) == 1 and 'torn.png is left out: ' in notes[0]


def told(text):
    """The works of a page."""
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])['works']


def pixels(address):
    raw = base64.b64decode(address.partition(',')[2])
    return np.asarray(Image.open(io.BytesIO(raw)))


def test_few_pixels_stay_squares_and_many_become_fewer(tmp_path):
    small = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    shown = pixels(page._encoded(Image.fromarray(small).convert('RGBA')))
    assert shown.shape == (512, 512, 3)
    np.testing.assert_array_equal(shown[::64, ::64], small)
    large = Image.new('RGBA', (3000, 1000), (1, 2, 3, 255))
    large.save(tmp_path / 'large.png')
    ((work,), _) = works.of([str(tmp_path / 'large.png')], 1, 0)
    assert pixels(page._encoded(work.picture)).shape == (341, 1024, 3)


@pytest.mark.usefixtures('library')
def test_a_page_holds_all_that_it_needs(pictures, tmp_path, capsys):
    out = tmp_path / 'show.html'
    words = str(pictures), f'--out={out}', f'--title={BAD}'
    assert gallery.main(list(words)) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f'2 works in {out}') and 'torn.png' in said.err
    text = out.read_text()
    assert BAD not in text and str(tmp_path) not in text
    assert '"<\\/script>";' in text and 'MIT' in text
    outside = re.findall(r'(?:src|href)="?(?!data:)[a-z]+:', text)
    assert not outside and "default-src 'none'" in text
    assert text.count('</script>') == 3  # data, library, page
    assert gallery.main(list(words)) == 2 and 'or --force' in capsys.readouterr().err
    assert gallery.main([*words, '--force']) == 0
    before = (pictures / 'one.png').read_bytes()
    assert gallery.main([str(pictures), f'--out={pictures / "one.png"}']) == 2
    assert (pictures / 'one.png').read_bytes() == before
    assert [work['parents'] for work in told(text)] == [[], [0]]


@pytest.mark.usefixtures('library')
def test_no_word_of_a_person_is_taken_for_the_page(tmp_path, capsys):
    about = {'tool': '@SCRIPT@', 'run': {'workdir': '/private/alice/runs/x'}}
    about['flags'] = {'prompt': '@TITLE@'}
    picture = np.zeros((4, 4, 3), np.uint8)
    images.save_png(tmp_path / '@SCRIPT@.png', picture, about)
    out, title = tmp_path / 'show.html', '--title=@WORKS@ caf\udce9'
    words = str(tmp_path / '@SCRIPT@.png'), f'--out={out}', title
    assert gallery.main(list(words)) == 0
    (work,) = told(out.read_text())
    assert work['title'] == '@SCRIPT@' and work['lines'][0] == 'model x'
    assert 'alice' not in out.read_text() and '<h1>@WORKS@ caf?</h1>' in out.read_text()


def test_equal_pictures_hang_once(pictures):
    words = [str(pictures), str(pictures / 'one.png')]
    shown, notes = works.of(words, 3, 0)
    assert [work.title for work in shown] == ['one', '00000']
    assert '1 picture equal to another one, and left out' in notes


@pytest.mark.usefixtures('library')
def test_samples_of_a_model_hang(tmp_path, capsys):
    out = tmp_path / 'show.html'
    words = 'pretrained:emoji_vae', '--num=2', '--seed=4', f'--out={out}'
    assert gallery.main(list(words)) == 0
    hung = told(out.read_text())
    assert [work['title'] for work in hung] == ['emoji_vae 0', 'emoji_vae 1']
    assert 'made by sample, --seed=4, number 1' in hung[1]['lines']


@pytest.mark.parametrize(
    'words, message',
    [
        ([], 'say what is to hang'),
        (['/nowhere'], 'no picture, folder or run'),
        (['EMPTY'], 'has no pictures'),
        (['TORN'], 'torn.png is left out'),
        (['.', '--num=0'], 'from 1 to 200'),
        (['.', '--seed=-1'], 'from 0 to'),
        (['.', '--titel=x'], "did you mean '--title'"),
        (['pretrained:emoji_gin'], 'emoji_gan'),
        (['PICTURES', '--out=EMPTY'], 'is a folder'),
        (['PICTURES'], 'python -m gan_vae.data.prepare aframe'),
    ],
)
def test_mistakes_are_one_line(words, message, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'none'))
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    places = {'EMPTY': tmp_path / 'empty', 'TORN': pictures / 'torn.png'}
    places['PICTURES'] = pictures / 'one.png'
    for name, place in places.items():
        words = [word.replace(name, str(place)) for word in words]
    assert gallery.main(words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1, error


def test_too_many_works_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(works, 'MOST', 1)
    for name in 'ab':
        images.save_png(tmp_path / f'{name}.png', np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UserError, match='at most 1; name fewer'):
        works.of([str(tmp_path)], 1, 0)
