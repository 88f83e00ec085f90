"""Search equals its definition; an index is read without trust; its tools."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from gan_vae.art import __main__ as art
from gan_vae.art import feature_index, features, search
from gan_vae.data import emoji


def vectors(n, d, seed=0):
    return search.unit(np.random.default_rng(seed).normal(size=(n, d)), np.zeros(d))


def test_nearest_is_of_all_by_their_angle():
    x = np.random.default_rng(0).normal(size=(200, 5)) + 3
    x[7] = x[3]  # a tie
    mean = x.mean(0)
    for row in search.unit(x, mean):
        assert np.linalg.norm(row) == pytest.approx(1)
    far, found = search.nearest(search.unit(x, mean), search.unit(x[:20], mean), 200)
    for query in range(20):
        a, b = x[query] - mean, x - mean
        cos = b @ a / np.linalg.norm(b, axis=1) / np.linalg.norm(a)
        cos[7] = cos[3]
        np.testing.assert_array_equal(found[query], np.argsort(-cos, kind='stable'))
        np.testing.assert_allclose(far[query], np.sort(1 - cos), atol=1e-12)


def test_cells_find_what_is_in_them_and_all_cells_find_all():
    pytest.importorskip('faiss')
    centres = vectors(60, 16)
    noise = np.random.default_rng(1).normal(size=(4000, 16)) * 0.15
    x = search.unit(centres[np.arange(4000) % 60] + noise, np.zeros(16))
    parts = search.cells(x)
    np.testing.assert_array_equal(parts.of, search.cells(x).of)
    exact, right = search.nearest(x, x[:100], 10)
    far, found = search.probe(x, parts, x[:100], 10, probed=10_000)
    np.testing.assert_allclose(far, exact, atol=1e-6)
    np.testing.assert_array_equal(found, right)
    recalls = []
    for probed in (1, 16):  # of 253
        _, found = search.probe(x, parts, x[:100], 10, probed=probed)
        same = [len({*a} & {*b}) / 10 for a, b in zip(found, right, strict=True)]
        recalls.append(np.mean(same))
    assert 0.2 < recalls[0] < 0.9 and recalls[1] > 0.95
    far, found = search.probe(x, parts, x[:1], 300, probed=1)
    assert found[0, -1] == -1 and far[0, -1] == np.inf and found[0, 0] == 0


def test_a_query_of_the_liked_and_the_disliked():
    liked, disliked = np.array([[1.0, 0], [1, 0]]), np.array([[0.0, 1]])
    expected = np.array([3, -1]) / 10**0.5
    np.testing.assert_allclose(search.wanted(liked, disliked), expected)
    np.testing.assert_allclose(search.wanted(liked, disliked[:0]), [1, 0])


@pytest.mark.parametrize('variety', [0.0, 0.3, 0.8])
def test_a_varied_choice_is_the_greedy_one(variety):
    x, query = vectors(40, 3), vectors(1, 3, 1)[0]
    chosen: list[int] = []
    for _ in range(9):

        def gain(i):
            alike = max((x[i] @ x[j] for j in chosen), default=0.0)
            return (1 - variety) * (x[i] @ query) - variety * alike

        left = [i for i in range(40) if i not in chosen and i != 5]
        chosen.append(max(left, key=gain))
    found = search.varied(x, query, 9, variety, left_out=[5])
    assert found.tolist() == chosen
    if not variety:
        assert chosen == [i for i in np.argsort(-(x @ query)) if i != 5][:9]
    assert len(search.varied(x, query, 99, variety)) == 40


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """32 emoji, and what else people have in a folder."""
    place = tmp_path_factory.mktemp('pictures')
    for number, image in enumerate(emoji.load('test')[0][:32]):
        Image.fromarray(image).save(place / f'{number:02d}.png')
    picture = Image.fromarray(emoji.load('test')[0][40])
    picture.convert('CMYK').save(place / 'cmyk.jpg')
    clear = picture.convert('RGBA')
    clear.putalpha(Image.linear_gradient('L').resize((32, 32)))
    clear.save(place / 'clear.png')
    Image.new('L', (1, 1)).save(place / 'one.png')
    frames = [picture, picture.rotate(90)]
    frames[0].save(place / 'film.gif', save_all=True, append_images=frames[1:])
    (place / 'notes.txt').write_text('no picture')
    return place


@pytest.fixture(scope='module')
def index(folder):
    out = folder.parent / f'index of {folder.name}'  # two where it is set up again
    words = ['index', str(folder), '--features=pixels', '--size=32', f'--out={out}']
    assert art.main(words) == 0
    return out


def found(out):
    return json.loads(out.with_suffix('.json').read_text())['found']


def test_an_index_of_a_folder_and_what_is_like_its_pictures(index, folder, tmp_path):
    loaded = feature_index.load(str(index))
    assert loaded.names[[0, 31, 32]].tolist() == ['00.png', '31.png', 'clear.png']
    left_out = [word.partition(' ')[0] for word in found(index)['left_out']]
    assert left_out == ['film.gif', 'notes.txt'] and len(loaded.names) == 35
    first = emoji.load('test')[0][0]
    np.testing.assert_allclose(loaded.features[0], first.ravel() / 255, rtol=1e-6)
    np.testing.assert_array_equal(loaded.small[0], first)
    # a copy of number 3 in another format is number 3, and gets the same answers
    copy = tmp_path / 'copy.webp'
    Image.open(folder / '03.png').save(copy, lossless=True)
    (tmp_path / 'o').mkdir()
    out = tmp_path / 'o' / 'like'
    words = ['similar', str(copy), '3', f'--index={index}', '--num=4', f'--out={out}']
    assert art.main(words) == 0
    one, other = found(out)['similar']
    assert one['number'] == other['number'] == 3 and len(one['nearest']) == 4
    for a, b in zip(one['nearest'], other['nearest'], strict=True):
        assert a['number'] == b['number'] != 3
        assert a['distance'] == pytest.approx(b['distance'], abs=1e-6)
    x = loaded.features - loaded.features.mean(0, dtype=np.float64)
    cos = x @ x[3] / np.linalg.norm(x, axis=1) / np.linalg.norm(x[3])
    assert [n['number'] for n in one['nearest']] == np.argsort(-cos)[1:5].tolist()


def test_index_and_answers_are_made_again(index, tmp_path, capsys):
    out = tmp_path / 'r'
    words = ['recommend', f'--index={index}', '--liked=3,4', '--disliked=9', '--num=5']
    assert art.main([*words, f'--out={out}']) == 0
    for number, file in enumerate((index / 'index.npz', f'{out}.png', f'{out}.json')):
        again = tmp_path / f'again{number}'
        assert art.main(['reproduce', str(file), f'--out={again}']) == 0
        assert 'bit for bit' in capsys.readouterr().out
    numbers = [one['number'] for one in found(out)['recommended']]
    assert len(numbers) == 5 and not {3, 4, 9} & {*numbers}


def test_above_the_limit_cells_are_searched(index, folder, tmp_path, monkeypatch):
    pytest.importorskip('faiss')
    monkeypatch.setattr(search, 'EXACT', 30)
    monkeypatch.setattr(search, 'PROBED', 99)
    words = ['index', str(folder), '--features=pixels', '--size=32']
    assert art.main([*words, f'--out={tmp_path / "c"}']) == 0
    parts = feature_index.load(str(tmp_path / 'c'))
    assert parts.cells is not None
    x = parts.features[:5]
    exact = feature_index.load(str(index)).nearest(x, 5)[1]
    np.testing.assert_array_equal(parts.nearest(x, 5)[1], exact)


def test_without_the_library_one_line_says_so(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(search, 'EXACT', 30)
    monkeypatch.setitem(sys.modules, 'faiss', None)
    words = ['index', str(folder), '--features=pixels', f'--out={tmp_path / "c"}']
    assert art.main(words) == 2
    assert 'gan_vae[search]' in capsys.readouterr().err


def test_without_the_default_network_one_line_says_so(folder, monkeypatch, capsys):
    from gan_vae.extractors import efficientnet_lite0

    monkeypatch.setattr(efficientnet_lite0, 'PACKAGE', 'of-nobody')
    assert art.main(['index', str(folder), '--out=nowhere']) == 2
    error = capsys.readouterr().err
    assert 'gan_vae[perceptual]' in error and '--features=pixels' in error


def test_an_encoder_is_that_of_its_run(models, make_model, folder, tmp_path, capsys):
    run, out = f'--workdir={models["vae_emoji"]}', tmp_path / 'i'
    words = ['index', str(folder), '--features=encoder']
    assert art.main([*words, run, f'--out={out}']) == 0
    query = ['similar', str(folder / '03.png'), f'--index={out}']
    assert art.main([*query, run, f'--out={tmp_path / "s"}']) == 0
    assert found(tmp_path / 's')['similar'][0]['number'] == 3
    other = make_model(tmp_path, 'vae_emoji', seed=1)
    capsys.readouterr()
    for more, said in (
        (f'--workdir={other}', 'other weights'),
        ('--seed=0', '--workdir'),
        (f'--workdir={models["dcgan_emoji"]}', 'a run of a VAE'),
    ):
        assert art.main([*query, more, f'--out={tmp_path / "t"}']) == 2
        assert said in capsys.readouterr().err


def test_what_is_new_is_as_far_as_held_out_pictures_are(tmp_path):
    base = tmp_path / 'train'
    words = ['index', 'emoji:train', '--features=pixels', f'--out={base}']
    assert art.main(words) == 0
    pictures = [emoji.load('train')[0][5], emoji.load('test')[0][11]]
    given = [tmp_path / 'copy.png', tmp_path / 'new.png']
    for image, file in zip(pictures, given, strict=True):
        Image.fromarray(image).save(file)
    out = tmp_path / 'new or not'
    words = ['original', *map(str, given), f'--index={base}', f'--out={out}']
    assert art.main(words) == 0
    copy, new = found(out)['checked']
    assert copy['of'].endswith('copy.png') and copy['nearest']['number'] == 5
    assert copy['distance'] == 0 and copy['held_out_as_near'] == 0
    assert copy['p_value'] == pytest.approx(1 / 155)
    # one of the held-out pictures itself, at its own place among them
    train, held = (
        emoji.load(split)[0].reshape(-1, 3072) / 255 for split in ('train', 'test')
    )
    near = [np.sqrt(np.square(train - one).sum(1).min()) for one in held]
    assert new['distance'] == pytest.approx(near[11], rel=1e-5)
    assert new['held_out_as_near'] == pytest.approx(np.sum(near <= near[11]), abs=1)


def test_held_out_pictures_that_are_smaller_than_the_index_are_one_line(
    tmp_path, refused
):
    rng = np.random.default_rng(0)
    pictures = tmp_path / 'pictures'
    pictures.mkdir()
    for n, image in enumerate(rng.integers(0, 256, (4, 64, 64, 3), np.uint8)):
        Image.fromarray(image).save(pictures / f'{n}.png')
    base = tmp_path / 'large'
    words = ['index', str(pictures), '--features=pixels', '--size=64', f'--out={base}']
    assert art.main(words) == 0
    words = ['original', '3', f'--index={base}', '--held=emoji:test']
    refused(words, 'emoji:test has no pictures of 64 pixels', tmp_path)


@pytest.mark.parametrize(
    'words, message',
    [
        ('index {f} --features=pixel', '--features=pixel'),
        ('index {f} --features=encoder', 'needs --workdir'),
        ('index {f} --features=classifier', 'sets with classes'),
        ('index {f} --workdir={v}', 'of --features=encoder'),
        ('index {f} --features=random --size=5000', '--size=5000'),
        ('index nowhere --features=pixels', 'neither a folder nor a set'),
        ('index emoji:tset --features=pixels', "emoji has no split 'tset'"),
        ('index {e} --features=pixels', 'has no pictures'),
        ('index {b} --features=pixels', 'can be used: a.txt'),
        ('similar 3', 'no index'),
        ('similar 35 --index={i}', 'no number of the index, 0 to 34'),
        ('similar cat.png --index={i}', 'cat.png: no file'),
        ('similar {f}/film.gif --index={i}', 'GIF is not'),
        ('similar 3 --num=0 --index={i}', '--num=0'),
        ('similar 3 --index={f}/01.png', 'no index that can be used'),
        ('recommend --index={i}', 'needs --liked'),
        ('recommend --index={i} --liked=3 --variety=1', '--variety=1'),
        ('recommend --index={i} --liked=3,', '--liked=3,'),
        ('recommend --index={i} --liked=3,4 --disliked=4', 'and in --disliked'),
        ('original 3 --index={i}', 'no pictures held out'),
        ('original 3 --index={i} --held={f}', '99'),
    ],
)
def test_mistakes_are_one_line(index, folder, models, place, refused, words, message):
    places = {'i': index, 'f': folder, 'v': models['vae_emoji'], 'e': 'empty'}
    words = [word.format(**places, b='bad') for word in words.split()]
    refused(words, message, place)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('place')
    for name in ('empty', 'bad'):
        (folder / name).mkdir()
    (folder / 'bad/a.txt').write_text('no picture')
    return folder


@pytest.mark.parametrize('what', ['zip', 'object', 'count', 'nan', 'fit', 'cell'])
def test_an_index_of_somebody_else_is_not_trusted(index, what, tmp_path, capsys):
    with np.load(index / 'index.npz') as stored:
        arrays = dict(stored)
    about = json.loads(str(arrays['about']))
    write = np.savez
    if what == 'zip':
        write = np.savez_compressed
    elif what == 'object':
        arrays['names'] = arrays['names'].astype(object)
    elif what == 'count':
        arrays['small'] = arrays['small'][:5]
    elif what == 'nan':
        arrays['features'][3, 0] = np.nan
    elif what == 'fit':
        about['fit'][3] = 7
        arrays['about'] = np.array(json.dumps(about))
    else:
        arrays['centroids'] = arrays['features'][:2]
        arrays['cell_of'] = np.full(35, 2)
    write(tmp_path / 'index.npz', **arrays)
    words = ['similar', '3', f'--index={tmp_path}', f'--out={tmp_path / "o"}']
    assert art.main(words) == 2
    error = capsys.readouterr().err
    assert 'no index that can be used' in error and error.count('\n') == 1


def test_few_pictures_have_the_features_that_they_have_among_many():
    found = features.extractor('random', None, '')
    images = emoji.load('test')[0][:9]
    whole = features.extract(found, images)
    assert whole.shape == (9, 128) and whole.dtype == np.float32
    for rows in ([4], [0, 1, 8]):
        part = features.extract(found, images[rows])
        np.testing.assert_allclose(part, whole[rows], rtol=1e-4, atol=1e-5)
