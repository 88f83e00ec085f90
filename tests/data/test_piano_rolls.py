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


def test_chorales_of_twice_the_steps_are_told_apart(chorales):
    """The file of Fraccaro et al. 2016, whose numbers compare with none."""
    piano_rolls.check('jsb_chorales', chorales)
    doubled = {k: [r.repeat(2, 0) for r in rolls] for k, rolls in chorales.items()}
    assert sum(map(len, doubled['test'])) == 9450
    shifted = {k: [r[1:] for r in rolls] for k, rolls in doubled.items()}
    fewer = {k: rolls[::2] for k, rolls in doubled.items()}
    for twice in (doubled, shifted, fewer):
        with pytest.raises(UserError, match='each step stands there twice'):
            piano_rolls.check('jsb_chorales', twice)
    fewer = chorales | {'test': chorales['test'][1:]}
    with pytest.raises(UserError, match='76 sequences of .* has 77 of 4725'):
        piano_rolls.check('jsb_chorales', fewer)


def test_repeats_are_those_of_the_standard_set(chorales):
    """10.7 % of the steps are that before: reference value of the test split."""
    assert abs(piano_rolls.repeated(chorales['test']) - 0.107) < 0.001
    # a, a, b, b, b: three of four
    assert piano_rolls.repeated([np.eye(2)[[0, 0, 1, 1, 1]]]) == 0.75


@pytest.mark.parametrize('name', ['nottingham', 'piano_midi', 'muse_data'])
def test_counts_of_the_other_sets(files, name):
    piano_rolls.read(name, files / piano_rolls.SETS[name].file_name)


def test_prepared_and_read_back(files, chorales, tmp_path, capsys, config):
    flags = ['jsb_chorales', f'--data_dir={tmp_path}', '--archive']
    assert prepare.main([*flags, str(files / 'JSB_Chorales.mat')]) == 0
    assert 'configs/vrnn_jsb.py' in capsys.readouterr().out
    config.data.name, config.data.dir = 'jsb_chorales', str(tmp_path)
    config.data.categories = ''
    found = data.examples(config.data, 'test')
    assert found.kind == 'rolls' and found.count == 77
    assert {v.tobytes() for v in found.values} == {
        v.tobytes() for v in chorales['test']
    }
    assert data.examples(config.data, 'train[:3]').count == 3
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
