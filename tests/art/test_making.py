"""The contract of the art tools: files say how they came about, and are made again."""

import json
import os
import shutil
import signal
import threading
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import latents, making, tools


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
            assert art.main(['reproduce', str(file), f'--out={new}']) == 0
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
    assert art.main(['reproduce', 'between.json', '--out=told']) == 0
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
    assert art.main(['reproduce', str(file), f'--out={tmp_path / "n"}']) == 1
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

    def make(asked):  # another command writes while this one works
        images.save_png('art/slow-1/00000.png', other)
        images.save_png('named/00000.png', other)
        return tools.Made([tools.Picture(other + 9)])

    tool = tools.Tool('is slow', make, run=False)
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(tools, 'find', lambda name: tool)
    assert art.main(['slow']) == 0
    assert np.asarray(Image.open('art/slow-2/00000.png')).max() == 9
    (tmp_path / 'named/00000.png').unlink()
    assert art.main(['slow', '--out=named']) == 2
    assert 'there already' in capsys.readouterr().err
    for place in ('art/slow-1', 'named'):
        assert np.asarray(Image.open(f'{place}/00000.png')).max() == 0


def test_a_picture_gives_its_latent_back(models, tmp_path):
    run = making.opened(
        'sample', tools.find('sample'), flags(workdir=models['dcgan_emoji'])
    )
    z = latents.draw(run.method, 5, 70)
    np.testing.assert_array_equal(z[:3], latents.draw(run.method, 5, 3))
    made = latents.pictures(run, z[66:68])
    images.save_png(tmp_path / 'a.png', made[0].image, made[0].about)
    for word in (str(tmp_path / 'a.png'), '66'):
        found, label = latents.of_thing(run, making.thing(word), seed=5)
        np.testing.assert_array_equal(found, z[66])
        assert label is None
    shown = latents.decode(run, z)
    np.testing.assert_array_equal(shown[66:67], latents.decode(run, z[66:67]))


def flags(**given):
    from argparse import Namespace

    return Namespace(**{n: f.default for n, f in tools.SHARED.items()} | given)


@pytest.mark.parametrize(
    'words, said',
    [
        ('sample', 'needs --workdir'),
        ('sample --workdir=nowhere', 'no run in nowhere'),
        ('sample --workdir=pretrained:emoji', 'pretrained model'),
        ('sample --workdir={g} --seed=-1', '--seed=-1'),
        ('sample --workdir={g} --num=0', '--num=0'),
        ('sample --workdir={g} --out=.', '--out=.'),
        ('sample --workdir={g} --out=..', '--out=..'),
        ('sample --workdir={g} --step=3', 'a packed model'),
        ('sample --workdir={g} --class=cat', 'has no classes'),
        ('sample --workdir={g} --colour=red', '--colour'),
        ('sample cat --workdir={g}', 'takes no files'),
        ('interpolate 1 cat.png --workdir={g}', 'cat.png: no file'),
        ('interpolate 1 {f} --workdir={g}', 'project'),
        ('interpolate 1 {b} --workdir={v}', 'its latent was altered'),
        ('interpolate 1 {t} --workdir={v}', 'not an image'),
        ('interpolate 1 2 --num=1 --workdir={g}', '--num=1'),
        ('reproduce', 'required: file'),
        ('reproduce {f}', 'does not say how'),
        ('reproduce nothing.png', 'no file nothing.png'),
        ('sample --workdir={x}', 'cannot be used'),
    ],
)
def test_mistakes_are_one_line(models, words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vae, gan = models['vae_emoji'], models['dcgan_emoji']
    Image.new('RGB', (9, 9)).save('foreign.png')
    (tmp_path / 't.txt').write_text('text')
    about = json.loads((vae / 'about.json').read_text())
    run = making.opened('sample', tools.find('sample'), flags(workdir=vae))
    altered = about | {'latent': 'AAAA', 'model': run.about['state_sha256']}
    images.save_png('bad.png', np.zeros((8, 8, 3), np.uint8), altered)
    shutil.copytree(vae, 'broken')
    (tmp_path / 'broken/weights.npz').write_bytes(b'PK no archive')
    places = {'g': gan, 'v': vae, 'f': 'foreign.png', 'b': 'bad.png', 't': 't.txt'}
    assert art.main(words.format(**places, x='broken').split()) == 2
    error = capsys.readouterr().err
    assert said in error and error.count('\n') == 1 and error.startswith('gan_vae: ')
    assert not (tmp_path / 'art').exists()


@pytest.mark.usefixtures('signals')
def test_ctrl_c_keeps_what_there_is_and_is_remembered(
    models, tmp_path, monkeypatch, capsys
):
    def make(asked):
        count = 0
        for number in asked.steps(range(5), 'counting'):
            count += 1
            if asked.flags.seed == 1 and number == 2:
                os.kill(os.getpid(), signal.SIGINT)
        picture = np.full((4, 4, 3), count, np.uint8)
        return tools.Made([tools.Picture(picture)])

    tool = tools.Tool('counts', make, run=False)
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(tools, 'find', lambda name: tool)
    out = tmp_path / 'out'
    assert art.main(['count', '--seed=1', f'--out={out}']) == 0
    assert np.asarray(Image.open(out / '00000.png'))[0, 0, 0] == 3
    assert 'stopped by Ctrl-C after 3 steps' in capsys.readouterr().out
    # made again by as many steps, without anybody at the keyboard
    monkeypatch.setattr(os, 'kill', lambda *_: None)
    words = ['reproduce', str(out / '00000.png'), f'--out={tmp_path / "again"}']
    assert art.main(words) == 0


@pytest.mark.usefixtures('signals')
def test_ctrl_c_keeps_the_samples_that_are_drawn(models, tmp_path, monkeypatch):
    drawn = latents._decode

    def interrupted(*given):
        os.kill(os.getpid(), signal.SIGINT)
        return drawn(*given)

    run, out = f'--workdir={models["dcgan_emoji"]}', tmp_path / 'out'
    with monkeypatch.context() as patched:
        patched.setattr(latents, '_decode', interrupted)
        assert art.main(['sample', run, '--num=70', f'--out={out}']) == 0
    assert len(list(out.iterdir())) == latents.BATCH
    words = ['reproduce', f'{out}.png', f'--out={tmp_path / "again"}']
    assert art.main(words) == 0


@pytest.mark.usefixtures('signals')
def test_ctrl_c_while_files_are_written_waits_for_the_last(
    tmp_path, monkeypatch, capsys
):
    picture = tools.Picture(np.zeros((4, 4, 3), np.uint8))
    tool = tools.Tool('makes three', lambda asked: tools.Made([picture] * 3), run=False)
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

    def write(folder, made, about, run):
        order.append('begin')
        time.sleep(0.2)
        images.save_png(folder / '00000.png', np.zeros((2, 2, 3), np.uint8))
        order.append('end')

    def make(asked):
        lock.wait()
        return tools.Made()

    tool = tools.Tool('is quick', make, run=False)
    monkeypatch.setattr(making, 'find', lambda name: tool)
    monkeypatch.setattr(making, '_write', write)
    monkeypatch.setattr(making, 'Watch', nullcontext)
    monkeypatch.setattr(making, '_made', lambda tool, asked: (make(asked), None))
    flags = Namespace(seed=0, out='', force=False)
    with ThreadPoolExecutor(2) as pool:
        places = [*pool.map(lambda _: making.make('quick', [], flags)[0], range(2))]
    assert order == ['begin', 'end'] * 2
    assert {p.name for p in places} == {'quick-1', 'quick-2'}


def test_a_list_of_files_is_hashed_file_by_file(tmp_path):
    names = [str(tmp_path / n) for n in ('a.png', 'b.png')]
    for number, name in enumerate(names):
        images.save_png(name, np.full((2, 2, 3), number, np.uint8))
    both = making._given(','.join(names)).sha256
    assert both and both != making._given(','.join(names[::-1])).sha256
    images.save_png(names[1], np.full((2, 2, 3), 9, np.uint8))
    assert making._given(','.join(names)).sha256 != both
    assert making._given(names[0]) == making.thing(names[0])
    assert not making._given('3,8').sha256
