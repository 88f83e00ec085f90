"""New music and drawings, and those that go on: the commands of a user."""

import json
import wave

import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import making, sample, sequences
from gan_vae.data.readers import toy_rolls, toy_strokes
from gan_vae.media import midi
from gan_vae.training import loop


@pytest.fixture(scope='module')
def runs(tmp_path_factory, make_model):
    """Folders of a run of music and of a model of drawings that has learned nothing."""
    music = tmp_path_factory.mktemp('music')
    one = {'parallel.devices': '1'}
    loop.train(config_lib.load('configs/vrnn_jsb.py:tiny', one), music)
    drawings = make_model(tmp_path_factory.mktemp('drawings'), 'sketch_vae_kanji')
    return {'vrnn_jsb': music, 'sketch_vae_kanji': drawings}


@pytest.mark.slow
def test_music_is_written_with_its_origin(runs):
    folder = sample.sample(runs['vrnn_jsb'], num=3, seed=5, temperature=0.8)
    kinds = 'mid', 'png', 'wav'
    names = sorted(f.name for f in folder.iterdir())
    assert names == [f'0000{n}.{kind}' for n in range(3) for kind in kinds]
    roll = midi.from_midi(folder / '00001.mid')
    method, state, _ = making.load(runs['vrnn_jsb'])
    drawn = sequences.draw(method, state, 5, 3, 0.8)
    np.testing.assert_array_equal(roll, drawn[1])
    more = sequences.draw(method, state, 5, 20, 0.8)
    np.testing.assert_array_equal(drawn[1], more[1])
    assert len(more) == 20 and not np.array_equal(more[0], more[sequences.BATCH])
    about = images.read_provenance(folder / '00001.png')
    assert about['flags'].items() >= {'seed': 5, 'temperature': 0.8}.items()
    with wave.open(str(folder / '00001.wav')) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(6, abs=0.2)


@pytest.mark.slow
def test_music_goes_on_from_a_file_and_from_a_number(runs, tmp_path):
    held = toy_rolls.load('', 'test[:10]')
    given = tmp_path / 'mine.mid'
    midi.to_midi(held.values[2]).write(str(given))
    for thing in (str(given), '2'):
        out = tmp_path / f'out{thing[-1]}'
        words = ['complete', f'--workdir={runs["vrnn_jsb"]}', thing, f'--out={out}']
        assert art.main([*words, '--steps=5', '--num=2']) == 0
        for number in range(2):
            roll = midi.from_midi(out / f'0000{number}.mid')
            np.testing.assert_array_equal(roll[:5], held.values[2][:5])
            assert len(roll) == 12  # config.method.sample_steps


@pytest.mark.slow
def test_drawings_in_between_begin_and_end_with_what_is_given(runs, tmp_path):
    workdir = runs['sketch_vae_kanji']
    words = ['interpolate', f'--workdir={workdir}', '0', '1', f'--out={tmp_path / "o"}']
    assert art.main([*words, '--num=3']) == 0
    assert len(list((tmp_path / 'o').glob('*.svg'))) == 3
    held = toy_strokes.load('', 'test[:10]')
    method, state, _ = making.load(workdir)
    shown = sequences.between(method, state, *held.values[:2], 4)
    for value, end in zip((shown[0], shown[-1]), held.values[:2], strict=True):
        alone = sequences.between(method, state, end, end, 2)[0]
        np.testing.assert_allclose(value, alone, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    'words, message',
    [
        ('complete --workdir={r} 99 --out=x', '10 sequences, counted from 0'),
        ('complete --workdir={r} nothing.mid --out=x', 'no file nothing.mid'),
        ('complete --workdir={r} 1 --steps=99 --out=x', '--steps=99'),
        ('complete --workdir={r} 1 --num=0 --out=x', '--num=0'),
        ('complete --workdir={r} --out=x', 'takes THING'),
        ('complete --workdir={r} 1 --temperature=-1 --out=x', '--temperature=-1'),
        ('complete --workdir={r} 1 --step=9 --out=x', 'no checkpoint of step 9'),
        ('interpolate --workdir={r} 1 2 --out=x', 'no latent of a whole'),
        ('interpolate --workdir={r} 1 --out=x', 'takes THING THING...'),
        ('traversals --workdir={r}', 'of rolls'),
        ('codec encode --workdir={r} --out=x', ''),
    ],
)
def test_mistakes_are_one_line(runs, refused, tmp_path, words, message):
    refused(words.format(r=runs['vrnn_jsb']).split(), message, tmp_path)


@pytest.mark.slow
def test_reports_of_measures_say_what_of(runs):
    from gan_vae.evaluation.run import evaluate_run

    found = evaluate_run(runs['vrnn_jsb'], metrics='iwae_3,fivo_3')
    for name in ('eval/iwae_3', 'eval/fivo_3', 'eval/elbo'):
        assert 'nats a step, mean over all' in found[name]['protocol']
        assert 'mask' not in json.dumps(found[name])
    assert found['eval/iwae_3']['value'] > found['eval/elbo']['value'] - 0.5
