"""A private run from end to end: resumed to the bit, and what it tells of itself."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from gan_vae.art import __main__ as art
from gan_vae.art import provenance
from gan_vae.config import default
from gan_vae.errors import UserError
from gan_vae.export import card
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened
from gan_vae.runs.__main__ import main as pack
from gan_vae.training import loop


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    (folder / 'LICENSE').write_text('CC BY-NC 4.0\n')
    for number, x in enumerate(np.random.default_rng(0).integers(0, 256, (90, 16, 16))):
        Image.fromarray(x.astype(np.uint8)).save(folder / f'{number}.png')
    return folder


@pytest.fixture
def private(config_of, pictures):
    """private(steps, noise=20): the config of a tiny run on those pictures."""

    def make(steps, noise=20.0, **train):
        config = config_of('vae')
        changes = {
            'data.name': f'folder:{pictures}',
            'data.split': 'train',
            'data.eval_split': 'test',
            'data.image_size': 16,
            'data.channels': 1,
            'model.encoder': 'mlp',
            'model.decoder': 'mlp',
            'privacy.noise_multiplier': noise,
            'privacy.delta': 1e-3,
            'train.steps': steps,
        }
        more = {f'train.{name}': value for name, value in train.items()}
        default.update(config, changes | more)
        return config.lock()

    return make


@pytest.mark.slow
def test_a_private_run_resumes_to_the_bit_and_says_what_it_is(
    private, tmp_path, capsys
):
    pytest.importorskip('dp_accounting')
    whole = loop.train(private(4, seed=7), tmp_path / 'whole')
    loop.train(private(2, seed=7), tmp_path / 'parts')
    parts = loop.train(private(4, seed=7), tmp_path / 'parts')
    assert parts['state_sha256'] == whole['state_sha256']
    said = capsys.readouterr().out
    assert 'train.seed=0' not in said
    assert 'the licence of the data (CC BY-NC 4.0) forbids commercial use' in said
    epsilon = whole['metrics']['eval/epsilon']
    assert 0 < epsilon['value'] < 1 and 'delta 0.001, noise 20' in epsilon['protocol']
    assert f'epsilon {epsilon["value"]:.3g} at the end' in said
    assert (
        art.main(
            ['sample', f'--workdir={tmp_path / "whole"}', f'--out={tmp_path / "o"}']
        )
        == 0
    )
    run = provenance.read(tmp_path / 'o' / '00000.png')['run']
    assert run['licence'] == 'CC BY-NC 4.0'
    assert run['privacy'].startswith(f'epsilon {epsilon["value"]:.3g}, delta 0.001')
    model = opened.load(tmp_path / 'whole')
    text = card.text(model, tmp_path / 'whole', ['model.safetensors: weights'])
    assert 'Licence of the data: CC BY-NC 4.0.' in text
    assert f'Differentially private: {run["privacy"]}.' in text
    assert re.search(r'took 0\.\d minutes, and 0\.\d core-minutes of the host', text)
    assert model.record['core_seconds'] > 0
    assert 'not trained with differential privacy' not in text
    assert (
        'samples are copies (`gan_vae evaluate --metrics=originality_random`)' in text
    )
    line = {'metric': 'near_random', 'protocol': 'near_random 0.01'}
    (tmp_path / 'whole' / 'evaluation.jsonl').write_text(json.dumps(line) + '\n')
    text = card.text(model, tmp_path / 'whole', ['model.safetensors: weights'])
    assert '- near_random 0.01' in text and 'samples are copies' not in text
    assert model.config.train.seed == 7
    packed = tmp_path / 'packed'
    assert pack([f'--workdir={tmp_path / "whole"}', f'--out={packed}']) == 0
    assert run_folder.read_config(packed).train.seed == 0  # noise follows from it
    about = json.loads((packed / 'about.json').read_text())
    assert about['licence'] == run['licence'] and about['privacy'] == run['privacy']
    for key in ('seconds', 'core_seconds'):
        assert about[key] == opened.load(packed).record[key] == model.record[key]
    again = opened.load(packed).about  # and what is made with the packed model has them
    assert again['licence'] == run['licence'] and again['privacy'] == run['privacy']


@pytest.mark.slow
def test_a_private_run_says_what_its_epsilon_leaves_out(private, tmp_path, capsys):
    """A run that it began with; and with which seed its noise can be guessed."""
    pytest.importorskip('dp_accounting')
    loop.train(private(1, noise=0.0), tmp_path / 'open')
    assert 'train.seed=0' not in capsys.readouterr().out
    loop.train(private(1, init_from=str(tmp_path / 'open')), tmp_path / 'run')
    assert 'who guesses config.train.seed=0 can comp' in capsys.readouterr().out
    record = opened.load(tmp_path / 'run').record['privacy']
    begun = f'begun with the weights of {tmp_path / "open"}, which is not counted'
    assert record.startswith('epsilon ') and record.endswith(begun)


def test_a_run_of_few_pictures_is_refused(private, tmp_path):
    pytest.importorskip('dp_accounting')
    with pytest.raises(UserError, match='after 500 steps on 70 examples, and above 10'):
        loop.train(private(500, noise=1.0), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
