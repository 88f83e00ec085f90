"""Experiment files: points, the names of trials, and one line for each mistake."""

import numpy as np
import pytest

import launch
from gan_vae.errors import UserError
from gan_vae.sweep import plan, run
from tests.sweep.conftest import GRID, HEAD, SPACE


def ids(experiment, fixed=None, seeds=None, workdir=None):
    groups = [
        plan.trials(experiment, p, fixed or {}, seeds, workdir / 'sweep')
        for p in experiment.points
    ]
    return [[t.id for t in group] for group in groups]


def test_a_trial_is_named_by_what_it_computes(write, tmp_path):
    experiment = plan.read(write(HEAD + GRID))
    plain = ids(experiment, workdir=tmp_path)
    assert len({i for (i,) in plain}) == 3
    # seed 0 of many is the trial of the default seed
    assert [g[0] for g in ids(experiment, seeds=2, workdir=tmp_path)] == sum(plain, [])
    # where data are is no part of it, the budget is
    moved = {'data.dir': '/elsewhere', 'eval.every_steps': '2'}
    assert ids(experiment, moved, workdir=tmp_path) == plain
    longer = {'train.steps': '8'}
    assert not {*map(tuple, ids(experiment, longer, workdir=tmp_path))} & {
        *map(tuple, plain)
    }
    assert ids(experiment, {'train.steps': '8.0'}, workdir=tmp_path) == ids(
        experiment, longer, workdir=tmp_path
    )
    # 1 is 1.0, and NumPy's numbers are numbers
    one, two = (
        plan.trials(experiment, plan.plain('', {'optimizer.b1': v}), {}, None, tmp_path)
        for v in (0, np.float64(0))
    )
    assert one[0].id == two[0].id and one[0].steps == 4


def test_the_variant_goes_to_the_config():
    experiment = plan.read('experiments/dcgan_lr.py:tiny')
    assert experiment.config == 'configs/dcgan_emoji.py:tiny'
    assert experiment.name == 'dcgan_lr-tiny' and len(experiment.points) == 6


def test_random_points_depend_on_seed_and_index_alone(write):
    experiment = plan.read(write(HEAD + SPACE))
    ten = plan.random_points(experiment, 10, seed=3)
    assert plan.random_points(experiment, 4, seed=3) == ten[:4]
    assert plan.random_points(experiment, 10, seed=4) != ten
    rates = [
        p['optimizer.learning_rate'] for p in plan.random_points(experiment, 400, 0)
    ]
    assert 1e-5 <= min(rates) and max(rates) <= 1e-2
    # log-uniform: half below the geometric mean, 4 standard errors
    assert abs(np.mean(np.array(rates) < 10**-3.5) - 0.5) < 0.1
    listed = plan.read(write(HEAD + GRID))
    drawn = plan.random_points(listed, 2, seed=0)
    assert len(drawn) == 2 and drawn[0] != drawn[1]
    assert plan.random_points(listed, None, seed=0)[:2] == drawn


@pytest.mark.parametrize(
    'text, options, message',
    [
        ("METRIC = ('eval/swd', 'min', 'final')" + GRID, {}, 'has no CONFIG'),
        ("CONFIG = 'configs/dcgan_emoji.py'" + GRID, {}, 'has no METRIC'),
        (HEAD, {}, 'has neither sweep'),
        (HEAD + 'def sweep(add): pass', {}, 'adds nothing'),
        (HEAD + 'def sweep(add): add()', {}, 'a point is empty'),
        (HEAD + 'def sweep(add): add(x)', {}, 'NameError'),
        (HEAD + 'def sweep(add', {}, 'SyntaxError'),
        (
            HEAD + "def sweep(add): add({'optimizer.b3': 1})",
            {},
            "unknown config key 'optimizer.b3' (did you mean 'optimizer.b",
        ),
        (HEAD + "def sweep(add): add({'optimizer.b1': 2.0})", {}, 'must be in [0, 1)'),
        (HEAD + "def sweep(add): add({'optimizer.b1': [1]})", {}, 'is no number'),
        (HEAD + "def sweep(add): add({'train.steps': 5})", {}, 'repeat trials with'),
        (HEAD.replace('min', 'low') + GRID, {}, 'should be'),
        (HEAD.replace('eval/swd', 'train/loss_g') + GRID, {}, 'by an evaluation'),
        (HEAD.replace('dcgan_emoji', 'dcgan_emojy') + GRID, {}, 'no config file'),
        (HEAD + SPACE, {}, 'has no sweep(add)'),
        (HEAD + SPACE, {'engine': 'random'}, 'add --trials=N'),
        (
            HEAD + SPACE.replace('choice', 'pick'),
            {'engine': 'random', 'trials': 1},
            'pick',
        ),
        (HEAD + GRID, {'engine': 'gird'}, "did you mean 'grid'"),
        (HEAD + GRID, {'seeds': 0}, 'must be at least 1'),
        (HEAD + GRID, {'trials': 2}, 'no meaning with --engine=grid'),
        (HEAD + GRID, {'storage': 'postgresql://x'}, 'no meaning'),
        (HEAD + GRID, {'engine': 'optuna', 'storage': 'sqlite:///x'}, 'postgresql://'),
        (HEAD + GRID, {'fixed': {'optimizer.learning_rate': '1'}}, 'leave it out'),
        (HEAD + GRID, {'fixed': {'train.seed': '1'}, 'seeds': 2}, 'exclude each other'),
        (HEAD + GRID, {'workdir': '/dev/null/x'}, 'cannot write in'),
    ],
)
def test_mistakes_are_one_line(text, options, message, write, quick):
    with pytest.raises(UserError) as error:
        quick(write(text), **options)
    assert message in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize(
    'argv, message',
    [
        (['--mode=sweep'], '--sweep is missing'),
        (
            ['--mode=sweep', '--sweep=x.py', '--config=y.py'],
            '--config is a flag of --mode=train',
        ),
        (['--mode=sweep', '--sweep=x.py', '--config.a=1'], "no experiment file 'x.py'"),
        (['--mode=train', '--retry'], '--retry is a flag of --mode=sweep'),
        (['--mode=sweep', '--sweeep=x.py'], "did you mean '--sweep'"),
    ],
)
def test_flags_that_make_no_sense_are_one_line(argv, message, capsys):
    assert launch.main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1


def test_no_file_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'experiments/dcgan_lr.py'"):
        run.sweep('experiments/dcgan_rl.py', {})


def test_an_edited_config_is_noticed_before_anything_runs(write, quick, tmp_path):
    from gan_vae import config as config_lib

    spec = write(HEAD + GRID)
    experiment = plan.read(spec)
    made = plan.trials(experiment, experiment.points[2], {}, None, tmp_path / 'sweep')
    made[0].folder.mkdir(parents=True)
    config = config_lib.load(experiment.config, made[0].overrides)
    with config.unlocked():
        config.model.width = 12
    (made[0].folder / 'config.json').write_text(config_lib.to_json(config))
    with pytest.raises(UserError, match='model.width: 12 -> 8'):
        quick(spec)
    assert not (tmp_path / 'sweep' / 'trials.jsonl').exists()
