"""The contract of the art tools: files say how they came about, and are made again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import (
    latents,
    making,
    progress,
    provenance,
    sample,
    sheets,
    tools,
)
from gan_vae.errors import UserError
from gan_vae.methods import sampling


def test_what_is_made_is_made_again_bit_for_bit(models, tmp_path, monkeypatch, capsys):
    first = tmp_path / 'first'
    run = f'--workdir={models["vae_emoji"]}'
    assert art.main(['sample', run, '--num=3', '--seed=7', f'--out={first}']) == 0
    for child, words in (
        ('between', ['interpolate', str(first / '00001.png'), '4']),
        ('again', ['interpolate', '--loop', '1', '2', '--seed=3', '--num=4']),
    ):
        out = tmp_path / child
        assert art.main([*words, run, f'--out={out}']) == 0
        for file in (out / '00002.png', out.with_suffix('.png'), f'{out}.gif'):
            new = tmp_path / f'{child}-{file}'.replace('/', '_')
            words = ['reproduce', str(file), run, f'--inputs={first}', f'--out={new}']
            assert art.main(words) == 0
            assert 'bit for bit' in capsys.readouterr().out
    about = images.read_provenance(tmp_path / 'between' / '00002.png')
    parent = images.read_provenance(first / '00001.png')
    digest = about['things'][0]['sha256']
    del parent['ancestors']
    assert about['ancestors'] == {digest: parent}
    assert parent['flags'] == {'num': 3, 'seed': 7}
    told = json.loads((tmp_path / 'between.json').read_text())
    assert told['made']['run']['state_sha256'] == parent['model']
    monkeypatch.chdir(tmp_path)  # of a file that does not carry its origin
    words = ['reproduce', 'between.json', run, '--inputs=first', '--out=told']
    assert art.main(words) == 0
    assert 'told.json: the same as between.json' in capsys.readouterr().out


def test_what_is_not_the_same_is_said(models, make_model, tmp_path, capsys):
    first = tmp_path / 'first'
    assert (
        art.main(['sample', f'--workdir={models["vae_emoji"]}', f'--out={first}']) == 0
    )
    file = first / '00001.png'
    about = images.read_provenance(file)
    picture = np.asarray(Image.open(file)).copy()
    picture[0, 0] ^= 1
    images.save_png(file, picture, about)
    words = ['reproduce', str(file), f'--workdir={models["vae_emoji"]}']
    assert art.main([*words, f'--out={tmp_path / "n"}']) == 1
    assert 'is not' in capsys.readouterr().err
    other = make_model(tmp_path, 'vae_emoji', seed=1)
    words = ['reproduce', str(file), f'--workdir={other}', f'--out={tmp_path / "m"}']
    assert art.main(words) == 2
    assert 'was made by the model' in capsys.readouterr().err
    given = tmp_path / 'given.png'
    shutil.copy(file, given)
    words = ['interpolate', str(given), '1', f'--workdir={models["vae_emoji"]}']
    assert art.main([*words, f'--out={tmp_path / "i"}']) == 0
    given.write_bytes((first / '00000.png').read_bytes())
    words = ['reproduce', str(tmp_path / 'i' / '00000.png'), f'--out={tmp_path / "k"}']
    words.append(f'--workdir={models["vae_emoji"]}')
    assert art.main(words) == 2
    assert 'is not what it was' in capsys.readouterr().err


def test_nothing_is_overwritten_unless_forced(models, tmp_path, monkeypatch, capsys):
    run = f'--workdir={models["dcgan_emoji"]}'
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        assert art.main(['sample', run, '--num=2']) == 0
        assert (tmp_path / f'art/sample-{number}/00001.png').exists()
    before = (tmp_path / 'art/sample-1/00001.png').read_bytes()
    words = ['sample', run, '--num=2', '--seed=1', '--out=art/sample-1']
    assert art.main(words) == 2 and 'there already' in capsys.readouterr().err
    assert (tmp_path / 'art/sample-1/00001.png').read_bytes() == before
    assert art.main([*words, '--force']) == 0
    assert (tmp_path / 'art/sample-1/00001.png').read_bytes() != before


def test_two_commands_at_once_do_not_share_a_place(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    other = np.zeros((4, 4, 3), np.uint8)

    def make(request):  # another command writes while this one works
        images.save_png('art/slow-1/00000.png', other)
        images.save_png('named/00000.png', other)
        return tools.Result(pictures=[tools.Picture(other + 9)])

    tool = tools.ToolWithoutModel(make=make)
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(tools, 'find', lambda name: tool)
    assert art.main(['slow']) == 0
    assert np.asarray(Image.open('art/slow-2/00000.png')).max() == 9
    (tmp_path / 'named/00000.png').unlink()
    assert art.main(['slow', '--out=named']) == 2
    assert 'there already' in capsys.readouterr().err
    for place in ('art/slow-1', 'named'):
        assert np.asarray(Image.open(f'{place}/00000.png')).max() == 0


def test_a_picture_gives_its_latent_back(models, opened, tmp_path):
    model = opened(models['dcgan_emoji'])
    z = sampling.latents(model.method, 5, 70)
    np.testing.assert_array_equal(z[:3], sampling.latents(model.method, 5, 3))
    made = latents.pictures(model, z[66:68])
    images.save_png(tmp_path / 'a.png', made[0].image, made[0].provenance)
    for word in (str(tmp_path / 'a.png'), '66'):
        found, label = latents.of_input(model, provenance.read_input(word), seed=5)
        np.testing.assert_array_equal(found, z[66])
        assert label is None
    every = sampling.decode(model.method, model.weights, z)
    alone = sampling.decode(model.method, model.weights, z[66:67])
    np.testing.assert_array_equal(every[66:67], alone)


@pytest.mark.parametrize(
    'words, message',
    [
        ('sample', 'needs --workdir=RUN, the folder of a run, or a model that comes'),
        ('sample', 'pretrained:emoji_gan'),
        ('sample --workdir=nowhere', 'no run in nowhere'),
        ('sample --workdir=pretrained:emoji', 'pretrained model'),
        ('sample --workdir={g} --seed=-1', '--seed=-1'),
        ('sample --workdir={g} --num=0', '--num=0'),
        ('sample --workdir={g} --out=.', '--out=.'),
        ('sample --workdir={g} --out=..', '--out=..'),
        ('sample --workdir={g} --step=3', 'a packed model'),
        ('sample --workdir={g} --class=cat', 'has no classes'),
        ('sample --workdir={g} --colour=red', 'unknown flag --colour;'),
        ('sample --tuncation=1', "did you mean '--truncation'"),
        ('mine.nothing', "no module 'mine"),
        ('reproduce {f} --wokdir=x', "did you mean '--workdir'"),
        ('sample cat --workdir={g}', 'takes no files'),
        ('interpolate 1 cat.png --workdir={g}', 'cat.png: there is no such file'),
        ('interpolate 1 {f} --workdir={g}', 'project'),
        ('interpolate 1 {b} --workdir={v}', 'its latent was altered'),
        ('interpolate 1 {t} --workdir={v}', 'not an image'),
        ('interpolate 1 2 --num=1 --workdir={g}', '--num=1'),
        ('reproduce', 'takes FILE'),
        ('reproduce {f}', 'does not say how'),
        ('reproduce nothing.png', 'no file nothing.png'),
        ('sample --workdir={x}', 'cannot be used'),
    ],
)
def test_mistakes_are_one_line(models, place, refused, words, message):
    places = {'g': models['dcgan_emoji'], 'v': models['vae_emoji'], 'x': 'broken'}
    places |= {'f': 'foreign.png', 'b': 'bad.png', 't': 't.txt'}
    refused(words.format(**places).split(), message, place)


@pytest.fixture(scope='module')
def place(models, opened, tmp_path_factory):
    """A folder of files that are of no use."""
    folder, vae = tmp_path_factory.mktemp('place'), models['vae_emoji']
    Image.new('RGB', (9, 9)).save(folder / 'foreign.png')
    (folder / 't.txt').write_text('text')
    altered = {'latent': 'AAAA', 'model': opened(vae).about['state_sha256']}
    images.save_png(folder / 'bad.png', np.zeros((8, 8, 3), np.uint8), altered)
    shutil.copytree(vae, folder / 'broken')
    (folder / 'broken/weights.npz').write_bytes(b'PK no archive')
    return folder


@pytest.mark.usefixtures('signals')
def test_ctrl_c_keeps_what_there_is_and_is_remembered(
    models, tmp_path, monkeypatch, capsys
):
    def make(request):
        count = 0
        for number in request.progress(range(5), 'counting'):
            count += 1
            if request.flags.seed == 1 and number == 2:
                os.kill(os.getpid(), signal.SIGINT)
        picture = np.full((4, 4, 3), count, np.uint8)
        return tools.Result(pictures=[tools.Picture(picture)])

    tool = tools.ToolWithoutModel(make=make)
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(tools, 'find', lambda name: tool)
    out = tmp_path / 'out'
    assert art.main(['count', '--seed=1', f'--out={out}']) == 0
    assert np.asarray(Image.open(out / '00000.png'))[0, 0, 0] == 3
    assert 'stopped after 3 steps: the best so far' in capsys.readouterr().out
    # made again by as many steps, without anybody at the keyboard
    monkeypatch.setattr(os, 'kill', lambda *_: None)
    words = ['reproduce', str(out / '00000.png'), f'--out={tmp_path / "again"}']
    assert art.main(words) == 0


@pytest.mark.usefixtures('signals')
def test_ctrl_c_keeps_the_samples_that_are_drawn(models, tmp_path, monkeypatch):
    drawn = sampling.decode_batch

    def interrupted(*given):
        os.kill(os.getpid(), signal.SIGINT)
        return drawn(*given)

    run, out = f'--workdir={models["dcgan_emoji"]}', tmp_path / 'out'
    with monkeypatch.context() as patched:
        patched.setattr(sampling, 'decode_batch', interrupted)
        assert art.main(['sample', run, '--num=70', f'--out={out}']) == 0
    assert len(list(out.iterdir())) == sampling.BATCH
    words = ['reproduce', f'{out}.png', run, f'--out={tmp_path / "again"}']
    assert art.main(words) == 0


@pytest.mark.usefixtures('signals')
def test_ctrl_c_while_files_are_written_waits_for_the_last(
    tmp_path, monkeypatch, capsys
):
    picture = tools.Picture(np.zeros((4, 4, 3), np.uint8))
    tool = tools.ToolWithoutModel(
        make=lambda request: tools.Result(pictures=[picture] * 3)
    )
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(tools, 'find', lambda name: tool)
    save = images.save_png

    def interrupted(path, *rest):
        save(path, *rest)
        if path.stem == '00001':
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(images, 'save_png', interrupted)
    assert art.main(['three', f'--out={tmp_path / "out"}']) == 0
    assert len(list((tmp_path / 'out').iterdir())) == 3
    assert (tmp_path / 'out.json').is_file()


def test_commands_that_write_at_one_moment_take_turns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    order, lock = [], threading.Barrier(2)

    def write(folder, result, about, model):
        order.append('begin')
        time.sleep(0.2)
        images.save_png(folder / '00000.png', np.zeros((2, 2, 3), np.uint8))
        order.append('end')

    def make(request):
        lock.wait()
        return tools.Result()

    tool = tools.ToolWithoutModel(make=make)
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(making, '_write', write)
    monkeypatch.setattr(making, 'Watch', nullcontext)
    monkeypatch.setattr(making, '_run', lambda tool, request, _: (make(request), None))
    flags = Namespace(seed=0, out='', force=False)
    with ThreadPoolExecutor(2) as pool:
        places = [*pool.map(lambda _: making.make('quick', [], flags)[0], range(2))]
    assert order == ['begin', 'end'] * 2
    assert {p.name for p in places} == {'quick-1', 'quick-2'}


def test_a_list_of_files_is_hashed_file_by_file(tmp_path):
    names = [str(tmp_path / n) for n in ('a.png', 'b.png')]
    for number, name in enumerate(names):
        images.save_png(name, np.full((2, 2, 3), number, np.uint8))
    both = provenance.read_file_flag(','.join(names)).sha256
    assert both and both != provenance.read_file_flag(','.join(names[::-1])).sha256
    images.save_png(names[1], np.full((2, 2, 3), 9, np.uint8))
    assert provenance.read_file_flag(','.join(names)).sha256 != both
    assert provenance.read_file_flag(names[0]) == provenance.read_input(names[0])
    assert not provenance.read_file_flag('3,8').sha256


def test_the_listing_imports_no_jax_and_a_new_module_is_a_tool(tmp_path, monkeypatch):
    code = 'import sys; from gan_vae.art.__main__ import main; main(["--help"]); '
    code += 'sys.exit("jax" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines() if line[:2] == '  '}
    assert listed >= {*tools.names(), 'codec', 'reproduce'}
    assert '  edit         Plain adjustments' in done.stdout
    # a tool of one's own
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/dot.py').write_text(
        '"""A dot."""\n'
        'import numpy as np\n'
        'from gan_vae.art.tools import Flag, Picture, Result, ToolWithoutModel\n'
        'def make(request):\n'
        '    level = np.full((2, 2, 3), request.flags.level, np.uint8)\n'
        '    return Result(pictures=[Picture(level)])\n'
        'TOOL = ToolWithoutModel(make=make, flags={"level": Flag(7, int)})\n'
    )
    assert art.main(['mine.dot', '--help']) == 0
    assert art.main(['mine.dot', '--level=9', '--out=o']) == 0
    assert np.asarray(Image.open('o/00000.png')).max() == 9
    assert art.main(['reproduce', 'o/00000.png', '--out=again']) == 0


def test_no_file_carries_a_folder_of_this_machine(
    models, tmp_path, monkeypatch, capsys
):
    home, away = tmp_path / 'home', tmp_path / 'away'
    for place in (home / 'in', away):
        place.mkdir(parents=True)
    for n in range(3):
        Image.new('RGB', (8, 8), (90 * n, 0, 0)).save(home / 'in' / f'{n}.png')
    monkeypatch.chdir(home)
    words = ['edit', 'in/1.png', str(home / 'in/2.png'), '--flip=vertical', '--out=a']
    assert art.main(words) == 0  # given below the working directory
    words = ['index', str(home / 'in'), '--features=pixels', f'--out={away / "i"}']
    monkeypatch.chdir(away)
    assert art.main(words) == 0  # given outside of it
    model = shutil.copytree(models['dcgan_emoji'], home / 'model')
    words = ['move', '1', f'--workdir={model}', f'--along={home / "d/00000.png"}']
    sheet = ['directions', '--method=sefa', '--num=1', f'--workdir={model}']
    assert art.main([*sheet, f'--out={home / "d"}']) == 0
    assert art.main([*words, '--out=m']) == 0
    for file in (*home.glob('a/*'), *home.glob('*.*'), *away.rglob('*')):
        if file.is_file():
            assert str(tmp_path).encode() not in file.read_bytes(), file
    # found again: by the path from here, by a flag, beside the file
    monkeypatch.chdir(home)
    assert art.main(['reproduce', 'a/00001.png', '--out=b']) == 0
    monkeypatch.chdir(away)
    words = ['reproduce', str(away / 'm/00000.png'), '--out=n']
    assert art.main(words) == 2
    assert 'no model model here: say by --workdir' in capsys.readouterr().err
    words.append(f'--workdir={model}')
    assert art.main(words) == 2
    assert 'say by --inputs=FOLDER where it lies' in capsys.readouterr().err
    assert art.main([*words, f'--inputs={home / "d"}']) == 0
    shutil.copytree(home / 'in', away / 'in')
    assert art.main(['reproduce', 'i/index.npz', '--out=j']) == 0
    assert art.main(['reproduce', 'i.json', '--out=k']) == 0


def test_a_picture_says_to_other_programs_what_made_it(models, tmp_path):
    """By the IPTC's list of digital source types, in XMP as Adobe lays it out."""
    run = f'--workdir={models["vae_emoji"]}'
    drawn, photo = tmp_path / 'drawn/00000.png', tmp_path / 'photo.png'
    images.save_png(photo, np.full((32, 32, 3), 99, np.uint8))
    few = '--steps=2', '--restarts=1'
    for out, kind, words in (
        ('drawn', 'trainedAlgorithmicMedia', ['sample', run, '--num=2']),
        ('child', 'trainedAlgorithmicMedia', ['interpolate', str(drawn), '4', run]),
        ('edit', 'trainedAlgorithmicMedia', ['edit', str(drawn), '--exposure=1']),
        ('seen', 'algorithmicallyEnhanced', ['edit', str(photo), '--exposure=1']),
        (
            'near',
            'compositeWithTrainedAlgorithmicMedia',
            ['project', str(photo), run, *few],
        ),
        (
            'mixed',
            'compositeWithTrainedAlgorithmicMedia',
            ['interpolate', str(tmp_path / 'near/00000.png'), '4', run],
        ),
    ):
        assert art.main([*words, f'--out={tmp_path / out}']) == 0
        file = sorted((tmp_path / out).glob('*.png'))[0]
        with Image.open(file) as picture:
            packet = picture.info['xmp']
        inside = ElementTree.fromstring(packet.decode().split('?>')[1].split('<?')[0])
        (about,) = inside.iter(
            '{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description'
        )
        term = '{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType'
        place = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
        assert about.get(term) == place + kind, out


def test_a_record_of_any_shape_is_an_input_like_another(tmp_path):
    """Of samples that a training wrote, of other programs, and of hostile ones."""
    picture = np.full((8, 8, 3), 9, np.uint8)
    loop = {'a' * 64: {'things': [{'sha256': 'a' * 64}], 'run': {}}}
    records = [
        {'step': 3},
        {'things': [1], 'files': 3, 'ancestors': []},
        {'things': [{'sha256': 'a' * 64}], 'run': {}, 'ancestors': loop},
        {'digital_source_type': '"/><script>', 'things': [], 'files': {}},
    ]
    for number, record in enumerate(records):
        file, out = tmp_path / f'{number}.png', tmp_path / f'out{number}'
        images.save_png(file, picture, record)
        assert b'<script' not in file.read_bytes().partition(b'XML:com')[2]
        assert art.main(['edit', str(file), '--exposure=1', f'--out={out}']) == 0
        about = images.read_provenance(next(out.glob('*.png')))
        assert about['digital_source_type'] == 'algorithmicallyEnhanced'
    deep = tmp_path / 'deep.png'
    info = PngInfo()
    info.add_text('gan_vae', '[' * 100_000)
    Image.fromarray(picture).save(deep, pnginfo=info)
    assert art.main(['edit', str(deep), '--exposure=1', f'--out={tmp_path / "d"}']) == 0
    # many generations of two parents each, from before there were terms
    ancestors = {'0': {'things': [], 'run': {'workdir': 'x'}}}
    for n in range(1, 60):
        both = [{'sha256': str(max(0, n - back))} for back in (1, 2)]
        ancestors[str(n)] = {'things': both, 'run': {'workdir': 'x'}}
    record = {'things': [{'sha256': '59'}], 'files': {}, 'run': None}
    assert provenance.digital_source_type(record, ancestors) == provenance.ALONE


def test_where_no_terminal_is_lines_say_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(progress, 'SECONDS', 0.05)
    with progress.reported('slow') as report:
        for number in report(range(3), 'looking'):
            time.sleep(0.2 * (number == 1))
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert 'slow: looking, 1 of 3, after 0 s' in lines
    assert lines[-1] == 'slow: after looking, after 0 s'


def test_help_of_every_command_is_no_error(capsys):
    for name in (*tools.names(), *tools.COMMANDS):
        assert art.main([name, '--help']) == 0
        assert name in capsys.readouterr().out


def test_both_commands_draw_the_same_pictures(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models['dcgan_emoji'], 'model')
    where = sample.sample('model', 3, seed=5, temperature=0.5)
    words = ['sample', '--workdir=model', '--num=3', '--seed=5', '--temperature=0.5']
    assert art.main([*words, '--out=o']) == 0
    assert str(where) == 'model/pictures/step0-seed5-temperature0.5'
    method, weights, _ = making.load('model')
    drawn = sampling.draw(method, weights, 5, 70, temperature=0.5)
    for number in range(3):
        one, other = (
            np.asarray(Image.open(f'{folder}/{number:05d}.png'))
            for folder in (where, 'o')
        )
        np.testing.assert_array_equal(one, other)
        assert np.abs(one.astype(int) - drawn[number]).max() <= 1
    where = sample.sample('pretrained:emoji_gan', 2)
    assert where.parent == Path('art/emoji_gan/pictures') and len([*where.iterdir()])


def test_a_class_by_its_name_or_its_id(capsys):
    numbers, words = ('1', '2', '3'), ('cat', 'dog')
    assert sampling.class_id(numbers, '1') == 0 == sampling.class_id(numbers, '#0')
    assert sampling.class_id(words, 'dog') == 1 == sampling.class_id(words, '1')
    for names, word, message in (
        (numbers, '0', '--class=#0'),
        (numbers, '#3', '#0 to #2'),
        (words, '2', '#0 to #1'),
        (words, 'dgo', "did you mean 'dog'"),
    ):
        with pytest.raises(UserError, match=message):
            sampling.class_id(names, word)
    assert sampling.class_message(words, 'dog', 1) == []
    (line,) = sampling.class_message(numbers, '1', 0)
    assert line == "--class=1: the class '1', id #0"


def test_words_of_a_sheet_are_not_cut_off():
    picture = np.full((16, 16, 3), 9, np.uint8)
    short, long = (
        sheets.labelled([picture] * 2, 2, [word] * 2) for word in ('a', 'deviation x 4')
    )
    assert long.shape[1] > short.shape[1]
    ink = (long < 150).all(-1) & (np.arange(len(long)) > 70)[:, None]
    columns = np.flatnonzero(ink.any(0))
    assert 0 < columns[0] and columns[-1] < long.shape[1] - 1


def test_pictures_of_several_sizes_lie_in_the_middle_of_one_paper():
    small, wide = np.zeros((2, 4, 1), np.uint8), np.full((4, 8, 3), 9, np.uint8)
    first, second = sheets.alike([small, wide])
    np.testing.assert_array_equal(second, wide)
    assert first.shape == wide.shape and not first[1:3, 2:6].any()
    assert first.sum() == sheets.PAPER * (4 * 8 - 2 * 4) * 3
    assert sheets.alike([small, small]).shape == (2, 2, 4, 1)


def test_a_picture_that_is_not_the_same_says_by_how_much(tmp_path):
    picture = np.full((2, 3, 3), 100, np.uint8)
    other = picture.copy()
    other[0, 1, 2], other[1, 2, 0] = 103, 99
    for name, content in ('a', picture), ('b', other), ('c', other[:1]):
        images.save_png(tmp_path / f'{name}.png', content)
    one, two, small = (tmp_path / f'{name}.png' for name in 'abc')
    said = making._apart(one, two)
    assert said.startswith('2 values of 24 differ, by 3 of 255 at most')
    assert making._apart(one, small) == 'another size'
    assert making._apart(one, tmp_path) == ''
