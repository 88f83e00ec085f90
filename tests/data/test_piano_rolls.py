"""Piano rolls: the standard splits alone, prepared and read back."""

import http.client
import io
import os
from pathlib import Path

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data import packages, piano_rolls, prepare
from gan_vae.errors import UserError


@pytest.fixture(scope='module')
def files():
    folder = os.environ.get('GAN_VAE_TEST_DATA')
    if not folder:
        pytest.skip('set GAN_VAE_TEST_DATA to a folder with piano_rolls/*.mat')
    return Path(folder) / 'piano_rolls'


@pytest.fixture(scope='module')
def chorales(files):
    return piano_rolls.read('jsb_chorales', files / 'JSB_Chorales.mat')


@pytest.mark.parametrize(
    'name, counts',
    [
        ('jsb_chorales', [(229, 13_807), (76, 4_602), (77, 4_725)]),
        ('nottingham', [(694, 176_561), (173, 45_513), (170, 44_463)]),
        ('piano_midi', [(87, 75_911), (12, 8_540), (25, 19_036)]),
        ('muse_data', [(524, 245_202), (135, 82_755), (124, 64_339)]),
    ],
)
def test_sets_have_the_sequences_and_steps_of_the_standard_splits(files, name, counts):
    """In their own time: chorales of twice the steps (9,396 of test) are others."""
    splits = piano_rolls.read(name, files / piano_rolls.SETS[name].file_name)
    assert list(splits) == ['train', 'validation', 'test']
    assert [(len(r), sum(map(len, r))) for r in splits.values()] == counts
    for roll in sum(splits.values(), []):
        assert roll.dtype == np.uint8 and roll.shape[1:] == (88,) and roll.max() <= 1


def test_repeats_are_those_of_the_standard_set(chorales):
    """10.7 % of the steps are that before: reference value of the test split."""
    same = np.concatenate([(r[1:] == r[:-1]).all(1) for r in chorales['test']])
    assert abs(same.mean() - 0.107) < 0.001


def test_prepared_and_read_back(files, chorales, tmp_path, capsys, config):
    flags = ['jsb_chorales', f'--data_dir={tmp_path}', '--archive']
    assert prepare.main([*flags, str(files / 'JSB_Chorales.mat')]) == 0
    assert 'configs/vrnn_jsb.py' in capsys.readouterr().out
    config.data.name, config.data.dir = 'jsb_chorales', str(tmp_path)
    config.data.categories = ''
    found = data.examples(config.data, 'test')
    assert found.kind == 'rolls' and found.size == 77
    assert {v.tobytes() for v in found.values} == {
        v.tobytes() for v in chorales['test']
    }
    assert data.examples(config.data, 'train[:3]').size == 3
    with pytest.raises(UserError, match='has no split'):
        data.examples(config.data, 'valid')


@pytest.mark.parametrize(
    'answer, said',
    [
        (b'<html>log in</html>', 'another file of 19 bytes'),
        (http.client.BadStatusLine('?'), 'BadStatusLine'),
        (OSError('no route'), 'no route'),
    ],
)
def test_without_a_network_one_line_and_no_file(
    answer, said, tmp_path, capsys, monkeypatch
):
    def urlopen(url, timeout):
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)

    monkeypatch.setattr(packages.urllib.request, 'urlopen', urlopen)
    assert prepare.main(['jsb_chorales', f'--data_dir={tmp_path}']) == 2
    error = capsys.readouterr().err
    assert said in error and error.count('\n') == 1
    assert 'mdata/JSB_Chorales.mat' in error and '--archive=FILE' in error
    assert not [f for f in tmp_path.rglob('*') if f.is_file()]


@pytest.mark.parametrize('name', ['toy_rolls', 'toy_strokes', 'drawings:x'])
def test_sets_that_need_no_files_are_not_prepared(name, tmp_path, capsys):
    assert prepare.main([name, f'--data_dir={tmp_path}']) == 2
    assert 'nothing to prepare' in capsys.readouterr().err


def test_other_files_are_refused_unread(tmp_path, capsys):
    other = tmp_path / 'JSB_Chorales.mat'
    other.write_bytes(b'MATLAB 5.0 MAT-file' + bytes(200))
    flags = [f'--data_dir={tmp_path}', f'--archive={other}']
    assert prepare.main(['jsb_chorales', *flags]) == 2
    assert 'is not the JSB_Chorales.mat' in capsys.readouterr().err
    assert prepare.main(['sketch_kanji', *flags]) == 2
    assert 'is not the short_kanji.npz' in capsys.readouterr().err
    missing = [f'--data_dir={tmp_path}', '--archive=nowhere.mat']
    assert prepare.main(['jsb_chorales', *missing]) == 2
    assert capsys.readouterr().err.count('\n') == 1
