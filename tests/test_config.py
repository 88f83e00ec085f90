"""Configs: typed overrides, one-line errors, dead settings, JSON there and back."""

import json

import pytest

from configs import default
from gan_vae import config as config_lib
from gan_vae.errors import UserError

FILE = 'configs/dcgan_emoji.py'


def test_overrides_are_parsed_by_the_type_of_the_default():
    made = config_lib.load(
        FILE + ':tiny',
        {
            'train.steps': '1e3',
            'optimizer.learning_rate': '1',
            'data.flip': 'True',
            'data.name': 'folder:a b/c',
        },
    )
    assert made.name == 'dcgan_emoji-tiny'
    assert made.train.steps == 1000 and isinstance(made.train.steps, int)
    assert made.optimizer.learning_rate == 1.0 and made.data.flip is True
    assert made.data.name == 'folder:a b/c'


@pytest.mark.parametrize(
    'spec, overrides, message',
    [
        ('configs/dcgan_emojii.py', {}, "did you mean 'configs/dcgan_emoji.py'"),
        (FILE + ':smal', {}, "unknown config variant 'smal'"),
        (FILE, {'train.stepz': '3'}, "did you mean 'train.steps'"),
        (FILE, {'steps': '3'}, "did you mean 'train.steps'"),
        (FILE, {'train.steps': '3.5'}, 'expected int'),
        (FILE, {'train.steps': 'many'}, 'expected int'),
        (FILE, {'train.steps': '0'}, 'must be at least 1'),
        (FILE, {'data.flip': '1'}, 'expected bool'),
        (FILE, {'optimizer.learning_rate': 'nan'}, 'at least 0'),
        (FILE, {'optimizer.b1': '1.0'}, 'must be in [0, 1)'),
        (FILE, {'optimizer.discriminator_b2': '1.0'}, 'must be below 1'),
        (FILE, {'data.fit': 'cropp'}, "did you mean 'crop'"),
        (FILE, {'data.channels': '2'}, 'must be one of (1, 3)'),
        (FILE, {'data.name': '3', 'data.dir': '4', 'train': '5'}, 'unknown config key'),
    ],
)
def test_mistakes_are_one_line_with_the_way_out(spec, overrides, message):
    with pytest.raises(UserError) as error:
        config_lib.load(spec, overrides)
    assert message in str(error.value) and '\n' not in str(error.value)


def test_a_config_that_invents_a_key_is_refused(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text(
        'from configs import default\n'
        'def get_config(variant=""):\n'
        '    config = default.get_config()\n'
        '    config.train.num_epochs = 3\n'
        '    return config\n'
    )
    with pytest.raises(UserError, match='mine.py: .*num_epochs'):
        config_lib.load(str(file))


def test_json_round_trip_and_its_errors():
    made = config_lib.load(FILE)
    again = config_lib.from_json(config_lib.to_json(made))
    assert config_lib.flatten(again) == config_lib.flatten(made)
    text = config_lib.to_json(made)
    for bad in (
        '',
        '[]',
        '{}',
        text.replace('"train"', '"trian"'),
        text.replace('"emoji"', '3'),
    ):
        with pytest.raises(UserError):
            config_lib.from_json(bad)
    earlier = text.replace('    "num_samples": 1000,\n', '')  # before the key existed
    assert earlier != text
    assert config_lib.flatten(config_lib.from_json(earlier)) == config_lib.flatten(made)


@pytest.mark.parametrize('gamma, penalty', [(0.0, ('', 10.0)), (0.5, ('r1', 0.5))])
def test_a_config_of_before_penalties_had_names(gamma, penalty):
    made = config_lib.load(FILE)
    stored = json.loads(config_lib.to_json(made))
    stored['method']['r1_gamma'] = gamma
    for key in ('penalty', 'penalty_weight'):
        del stored['method'][key]
    method = config_lib.from_json(json.dumps(stored)).method
    assert (method.penalty, method.penalty_weight) == penalty


def test_differences_name_what_makes_another_run():
    made = config_lib.load(FILE)
    changed = config_lib.load(FILE, {'train.log_steps': '7', 'train.seed': '5'})
    assert config_lib.differences(made, changed) == ['train.seed: 0 -> 5']
    longer = config_lib.load(
        FILE, {'train.steps': '999999', 'optimizer.schedule': 'constant'}
    )
    same = config_lib.load(FILE, {'optimizer.schedule': 'constant'})
    assert config_lib.differences(same, longer) == []
    decayed = [
        config_lib.load(FILE, {'optimizer.schedule': 'linear', 'train.steps': n})
        for n in ('10', '20')
    ]
    assert config_lib.differences(*decayed) == ['train.steps: 10 -> 20']


def test_settings_that_nothing_reads_are_found():
    made = config_lib.load(FILE + ':tiny', {'method.mixtures': '3'})
    reads = config_lib.Reads(made)
    assert reads.train.steps == 4 and reads.model.width == 8
    dead = reads.unread_settings()
    assert 'method.mixtures' in dead and 'data.name' in dead
    assert 'train.steps' not in dead and 'method.beta' not in dead


def test_every_key_says_what_it_is():
    """default.py is the schema: a comment on each line not plain from its name."""
    plain = {
        'generator',
        'discriminator',
        'encoder',
        'decoder',
        'latent_dim',
        'learning_rate',
    }
    plain |= {'b1', 'b2', 'eps', 'log_steps', 'checkpoint_steps', 'batch_size'}
    lines = open(default.__file__).read().split('_TINY')[0].splitlines()
    for key in config_lib.flatten(default.get_config()):
        leaf = key.split('.')[-1]
        line = next(text for text in lines if f'.{leaf} = ' in text)
        assert '#' in line or leaf in plain, key
