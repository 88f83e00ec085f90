"""python -m gan_vae.evaluation: two folders of pictures, and the report of runs."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import images
from gan_vae.evaluation.__main__ import main
from gan_vae.training import loop


@pytest.fixture
def folder(tmp_path):
    def make(name, n, seed):
        noise = np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), np.uint8)
        for i, image in enumerate(noise):
            images.save_png(tmp_path / name / f'{i:03d}.png', image)
        return str(tmp_path / name)

    return make


def test_two_folders(folder, tmp_path, capsys):
    assert main([folder('a', 50, 0), folder('b', 60, 1), '--metrics=swd']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith('swd ') and 'real against real' in lines[-1]
    assert '50 of pictures a' in lines[-1] and '16 px, as stored' in lines[-1]
    assert str(tmp_path) not in lines[-1] and 'FLAG: the samples' not in lines[-1]
    same = folder('c', 50, 0)
    assert main([same, folder('d', 50, 0), '--metrics=swd']) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith('swd 0 ')


def test_most_common_size_of_the_reference_decides(folder, tmp_path, capsys):
    """Not the first file's; and the card states mixed sizes, cropping and resizing."""
    a, b = folder('a', 50, 0), folder('b', 50, 1)
    for place in (a, b):
        images.save_png(Path(place) / '0.png', np.zeros((8, 8, 3), np.uint8))
    images.save_png(Path(b) / '1.png', np.zeros((24, 40, 3), np.uint8))
    assert main([a, b]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert 'uint8 of 16 px, samples resized to 16 px by Lanczos, reference the' in line
    assert 'reference the middle square cropped and resized' in line
    assert 'FLAG: the samples are of 2 sizes, 8x8 to 16x16 px' in line
    assert 'FLAG: the reference pictures are of 3 sizes, 8x8 to 40x24 px' in line
    assert main([a, folder('c', 50, 2), '--size=8']) == 0
    assert 'uint8 of 8 px' in capsys.readouterr().out
    zipped = shutil.make_archive(str(tmp_path / 'packed'), 'zip', b)
    assert main([zipped, b]) == 0  # the same pictures, and the same fit
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith('swd 0 ') and 'of pictures packed.zip | against' in line


def test_files_of_arrays(folder, tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (50, 16, 16, 3), np.uint8)
    names = [str(tmp_path / name) for name in ('a.npz', 'b.npy', 'c.npz', 'd.npy')]
    np.savez(names[0], noise)
    np.save(names[1], noise)
    assert main(names[:2]) == 0  # the same pictures
    line = capsys.readouterr().out
    assert line.splitlines()[-1].startswith('swd 0 ') and '50 of pictures a.npz' in line
    folder('e/cat', 45, 0), folder('e/dog', 45, 1)
    np.savez(names[2], np.concatenate([noise, noise]), np.arange(100) % 2)
    assert main([names[2], str(tmp_path / 'e'), '--metrics=intra_kid_pixels']) == 0
    assert '2 classes of 50 against 45' in capsys.readouterr().out
    np.savez(names[2], noise, np.arange(50))
    for wrong, message in (
        (noise / 127.5 - 1, 'are float64: give uint8 in 0..255; gan_vae.images.to_'),
        (noise.transpose(0, 3, 1, 2), 'channels come last'),
        (noise[0], r'[n, H, W, C]'),
        (np.array([None, noise], object), 'not a file of arrays'),
    ):
        np.save(names[3], wrong, allow_pickle=True)
        assert main([names[3], names[0]]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count('\n') == 1
    for argv, message in (
        ([names[2], str(tmp_path / 'e'), '--metrics=cas'], 'has 2 classes'),
        ([str(tmp_path / 'z.npz'), names[0]], 'there is no file'),
    ):
        assert main(argv) == 2 and message in capsys.readouterr().err


def test_subfolders_are_the_classes_of_the_samples(folder, capsys):
    for place, seed in (('a', 0), ('b', 1)):
        for name in ('cat', 'dog'):
            folder(f'{place}/{name}', 45, seed + (name == 'dog') * 5)
    a, b = (folder(f'{place}/dog', 45, 3)[: -len('/dog')] for place in ('a', 'b'))
    assert main([a, b, '--metrics=intra_kid_pixels', '--num=80']) == 0
    assert '2 classes of 3' in capsys.readouterr().out
    flat = folder('flat', 45, 0)
    folder('c/dgo', 45, 0)
    for samples, reference, message in (
        (flat, b, 'flat have no classes: put each picture in a subfolder named as its'),
        (a, flat, 'flat does not have two classes or more'),
        (a.removesuffix('a') + 'c', b, "has no class 'dgo' (did you mean 'dog'?)"),
    ):
        assert main([samples, reference, '--metrics=cas']) == 2
        error = capsys.readouterr().err
        assert message in error and error.count('\n') == 1


@pytest.mark.parametrize(
    'argv, message',
    [
        (['x'], 'takes samples and a reference'),
        (['/nowhere', 'emoji:test'], 'neither a folder nor a set'),
        (['emoji:test', 'emoji:train', '--metrics=sdw'], "did you mean 'swd'"),
        (['emoji:test', 'emoji:train', '--nmu=3'], "--nmu (did you mean '--num'?)"),
        (['emoji:test', 'emoji:train', '--metrics=mig'], 'is of a model'),
        (['emoji:test', 'emoji:train', '--num=-3'], 'must not be negative'),
        (['report'], 'folders of runs'),
        (['report', '/nowhere'], 'no run in'),
        (['emoji:test', 'emoji:test', '--metrics=,'], 'names none'),
        (['emoji:test', 'emoji:test', '--seed=4294967296'], 'below'),
        (['emoji:test', 'emoji:test[:0]'], 'is empty'),
        (['emoji:test', 'toy_shapes:all'], "no split 'all'"),
        (['report', '/nowhere', '--num=3'], '--num has no meaning'),
        (['emoji:test', 'emoji:train', '--out=x'], '--out has no meaning'),
        (['emoji:test', 'emoji:train', '--num=5000'], 'has 1'),
    ],
)
def test_mistakes_are_one_line_and_status_two(argv, message, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1


@pytest.mark.slow
def test_report_of_runs(tmp_path, capsys):
    for seed in (0, 1):
        overrides = {'train.seed': str(seed), 'eval.num_samples': str(8 + seed)}
        config = config_lib.load('configs/mlp_gan_mnist.py:tiny', overrides)
        loop.train(config, tmp_path / f'run{seed}')
    summary = tmp_path / 'run0' / 'summary.json'
    older = json.loads(summary.read_text())
    for found in older['metrics'].values():
        found.get('card', {}).pop('by_class', None)  # cards once had none
    summary.write_text(json.dumps(older))
    out = tmp_path / 'report.html'
    folders = [str(tmp_path / f'run{seed}') for seed in (0, 1)]
    assert main(['report', *folders, f'--out={out}']) == 0
    page = out.read_text()
    for part in ('run0', 'run1', 'eval/swd', 'n_fake: 8, 9', '<polyline', 'image/png'):
        assert part in page
    assert 'train.seed' in page and 'model.width' not in page  # what differs
    assert str(tmp_path) not in page
    twin = tmp_path / 'other' / 'run0'
    shutil.copytree(tmp_path / 'run0', twin)
    config = json.loads((twin / 'config.json').read_text())
    config['data']['dir'] = '/data/of/mine'
    (twin / 'config.json').write_text(json.dumps(config))
    assert main(['report', folders[0], str(twin), f'--out={out}']) == 0
    page = out.read_text()
    assert 'other/run0' in page and '/data/of' not in page and str(tmp_path) not in page
    for name in ('evaluation.jsonl', 'metrics.jsonl'):  # torn lines are left out
        with open(tmp_path / 'run0' / name, 'ab') as file:
            file.write(b'{"x": 1}\n[]\n\xff\n{"step": 1, "metr')
    assert main(['report', *folders, f'--out={out}']) == 0
    (tmp_path / 'run0' / 'summary.json').write_text('[]')
    assert main(['report', *folders, f'--out={out}']) == 2
