"""Configs: typed overrides, one-line errors, dead settings, JSON there and back."""

import dataclasses
import json
import math
import subprocess
import sys

import pytest

from gan_vae import config as config_lib
from gan_vae.config import default, fields, sections
from gan_vae.errors import UserError

FILE = 'configs/dcgan_emoji.py'
METHODS = sections.methods()


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
        (FILE, {'optimizer.lr': '3'}, "did you mean 'optimizer.learning_rate'"),
        (FILE, {'method.LOSS': 'x'}, "did you mean 'method.loss'"),
        (FILE, {'train.steps': '3.5'}, 'expected int'),
        (FILE, {'train.steps': 'many'}, 'expected int'),
        (FILE, {'train.steps': '0'}, 'must be at least 1'),
        (FILE, {'data.flip': '1'}, 'expected bool'),
        (FILE, {'optimizer.learning_rate': 'nan'}, 'must be finite'),
        (FILE, {'optimizer.b1': '1.0'}, 'must be in [0, 1)'),
        (FILE, {'optimizer.discriminator_b2': '1.0'}, 'must be in [-1, 1)'),
        (FILE, {'data.fit': 'cropp'}, "did you mean 'crop'"),
        (FILE, {'data.channels': '2'}, 'must be 1 or 3'),
        (FILE, {'data.name': '3', 'data.dir': '4', 'train': '5'}, 'unknown config key'),
    ],
)
def test_mistakes_are_one_line_with_the_way_out(spec, overrides, message):
    with pytest.raises(UserError) as error:
        config_lib.load(spec, overrides)
    assert message in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('line', 'fault'),
    [
        ("config.method.penalty = 'r1'", 'method.penalty is of the method gan'),
        ('config.method.bta = 2.0', 'did you mean "beta"'),
        ("config.method.beta = 'much'", "field 'beta'"),
        ("raise ValueError('one\\ntwo')", 'ValueError: one two'),
    ],
)
def test_a_fault_of_a_config_file_is_told_with_its_line(tmp_path, line, fault):
    file = tmp_path / 'mine.py'
    file.write_text(
        'from configs import default\n'
        'def get_config(variant=""):\n'
        "    config = default.get_config('vae')\n"
        f'    {line}\n'
        '    return config\n'
    )
    with pytest.raises(UserError) as error:
        config_lib.load(str(file))
    assert fault in str(error.value) and 'mine.py, line 4: ' in str(error.value)
    assert '\n' not in str(error.value) and len(str(error.value)) < 400


def test_a_config_that_invents_a_key_is_refused(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text(
        'from configs import default\n'
        'def get_config(variant=""):\n'
        '    config = default.get_config()\n'
        '    config.train.num_epochs = 3\n'
        '    return config\n'
    )
    with pytest.raises(
        UserError, match=r'mine.py, line \d+: there is no key .num_epochs'
    ):
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
    stored = json.loads(config_lib.to_json(config_lib.load(FILE)))
    stored['method']['r1_gamma'] = gamma
    for key in ('penalty', 'penalty_gamma', 'penalty_lambda'):
        del stored['method'][key]
    method = config_lib.from_json(json.dumps(stored)).method
    assert (method.penalty, method.penalty_gamma) == penalty
    assert method.penalty_lambda == 10.0


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
    (told,) = config_lib.differences(*decayed)
    assert told.startswith(
        'train.steps: 10 -> 20, over which optimizer.schedule=linear'
    )


def test_settings_that_nothing_reads_are_found():
    """Read as attributes of the config, or of the settings made from a section."""
    overrides = {'method.zcr_noise': '0.1', 'method.lecam_decay': '0.5'}
    reads = config_lib.Reads(config_lib.load(FILE + ':tiny', overrides))
    assert reads.train.steps == 4 and reads.model.width == 8
    settings = config_lib.as_settings(reads, 'method')
    dead = reads.unread_settings()
    assert {'method.zcr_noise', 'method.lecam_decay', 'data.name'} <= set(dead)
    assert 'train.steps' not in dead and 'method.lecam_weight' not in dead
    assert settings.zcr_noise == 0.1
    assert 'method.zcr_noise' not in reads.unread_settings()
    assert 'method.lecam_decay' in reads.unread_settings()


def refused(config, key, text) -> str:
    """The one line that a value of a key is answered with."""
    with pytest.raises(UserError) as error:
        config_lib.override(config, key, text)
        config_lib.validate(config)
    assert '\n' not in str(error.value)
    return str(error.value)


def keys_of(method):
    """(key, field) of the sections `method` and `model`; of `gan`, of all sections."""
    of_method = ('method', 'model')
    for section in sections.SECTIONS if method == 'gan' else of_method:
        for leaf, field in sections.keys(section, method).items():
            yield f'{section}.{leaf}', field


def outside(field) -> list:
    """Numbers that a field does not allow, as near to its range as there are."""
    rules, kind = field.metadata, type(field.default)
    values = []
    if (least := rules.get('least')) is not None:
        values += [least - 1 if kind is int else math.nextafter(least, -math.inf)]
    if (below := rules.get('below')) is not None:
        values += [kind(below)]
    if one_of := rules.get('one_of'):
        values += [min(one_of) - 1, max(one_of) + 1]
    return values + [math.nan, math.inf] * (kind is float)


@pytest.mark.parametrize('method', METHODS)
def test_every_number_has_a_range_and_its_ends(method):
    for key, field in keys_of(method):
        if type(field.default) not in (int, float):
            continue
        values = outside(field)
        assert len(values) > 2 * isinstance(field.default, float), f'{key}: no range'
        for value in values:
            line = refused(default.get_config(method), key, repr(value))
            assert line.startswith(f'config.{key}={value}: must be '), line
        section, _, leaf = key.partition('.')
        kind, rules = sections.settings_of(section, method), field.metadata
        ends = [rules['least']] if rules.get('least') is not None else rules['one_of']
        for end in map(type(field.default), ends):
            fields.check(section, dataclasses.replace(kind(), **{leaf: end}))


@pytest.mark.parametrize('method', METHODS)
def test_every_name_is_one_of_those_that_there_are(method):
    """Of losses, penalties, likelihoods, networks ...; the nearest one is proposed."""
    for key, field in keys_of(method):
        known = [n for n in field.metadata.get('names', ()) if len(n) > 3]
        if 'role' in field.metadata:
            known = [field.default]
        for name in known:
            line = refused(default.get_config(method), key, name[:-1] + '!')
            assert f'config.{key}' in line and "did you mean '" in line, line
    unknown = refused(default.get_config(method), 'method.name', method + '!')
    assert f"did you mean '{method}'" in unknown


@pytest.mark.parametrize('method', METHODS)
def test_a_key_of_another_method_is_answered_with_its_owner(method):
    own = {key for key, _ in keys_of(method)}
    others = {
        key: other
        for other in METHODS
        for key, _ in keys_of(other)
        if key.startswith(('method.', 'model.')) and key not in own
    }
    assert len(others) > 10
    for key, owner in others.items():
        line = refused(default.get_config(method), key, '1')
        assert f'{key!r} is of the method' in line and owner in line, line
        assert f'this run is by {method}' in line


def test_a_key_that_no_network_of_the_run_has_is_refused():
    """model.dropout with dcgan, which drops nothing."""
    line = refused(default.get_config('gan'), 'model.dropout', '0.3')
    assert 'config.model.dropout=0.3' in line and 'discriminator dcgan' in line
    config = default.get_config('gan')
    config.model.discriminator, config.model.dropout = 'mlp', 0.3
    config_lib.validate(config)


@pytest.mark.parametrize('method', METHODS)
def test_help_has_a_line_for_each_key(method):
    lines = sections.describe(f'method.{method}').splitlines()
    for key, field in keys_of(method):
        if key.startswith(('method.', 'model.')):
            (line,) = [x for x in lines if x.split()[0] == key]
            assert repr(field.default) in line and field.metadata['says'] in line


MISTAKES = {  # of the command line -> what the line has
    '--config.train.stepz=3': "did you mean 'train.steps'",
    '--config.method.beta=2': 'is of the method',
    '--config.model.dropout=0.3': 'no network of this run has it',
    '--config.method.name=gann': "did you mean 'gan'",
    '--config.model.generator=dcgann': "did you mean 'dcgan'",
    '--config.method.loss=hing': "did you mean 'hinge'",
    '--config.method.penalty=wgan': "did you mean 'wgan_gp'",
    '--config.method.penalty_interval=0': 'must be at least 1',
}


def test_mistakes_are_answered_quickly_and_without_jax(tmp_path):
    """Each in a process of its own would be a start of Python and one of these: the
    first takes half a second of a core at most, here with a margin for slow machines.
    """
    program = (
        'import json, sys, time, launch\n'
        'times = []\n'
        'for flag in json.loads(sys.argv[1]):\n'
        '    flags = ["--config=configs/dcgan_emoji.py:tiny", flag]\n'
        '    assert launch.main([*flags, "--workdir=" + sys.argv[2]]) == 2\n'
        '    times.append(time.process_time())\n'
        'heavy = {"jax", "flax", "tensorflow", "PIL"} & sys.modules.keys()\n'
        'print(json.dumps([times, sorted(heavy)]))'
    )
    flags = json.dumps(list(MISTAKES))
    done = subprocess.run(
        [sys.executable, '-c', program, flags, str(tmp_path / 'run')],
        capture_output=True,
        text=True,
    )
    lines = done.stderr.splitlines()
    assert len(lines) == len(MISTAKES), done.stderr
    for line, message in zip(lines, MISTAKES.values(), strict=True):
        assert line.startswith('gan_vae: ') and message in line
    times, heavy = json.loads(done.stdout)
    assert heavy == []
    assert times[0] < 1.5 and times[-1] < 2
    assert not (tmp_path / 'run').exists()
