"""The wheel, installed without the clone, works from any folder."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from gan_vae import __main__ as command

ROOT = Path(__file__).resolve().parents[1]
CONFIG = """
from SOURCE import default


def get_config(variant=''):
    config = default.get_config()
    config.data.name = 'toy_shapes'
    return default.with_variant(config, variant)
"""
OTHER = 'def get_config():\n    return {"learning_rate": 0.1}\n'  # of another project


@pytest.fixture(scope='module')
def installed(tmp_path_factory) -> Path:
    """The `bin` of an environment with the wheel, and this environment's libraries."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    without = shutil.ignore_patterns('__pycache__')
    shutil.copytree(ROOT / 'gan_vae', source / 'gan_vae', ignore=without)
    for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE', 'NOTICE'):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, '-m', 'pip', '--quiet']
    run([*pip, 'wheel', '--no-deps', f'--wheel-dir={folder}', str(source)], folder)
    (wheel,) = folder.glob('*.whl')
    shutil.rmtree(source)
    environment = folder / 'environment'
    venv = [sys.executable, '-m', 'venv', '--without-pip', str(environment)]
    run(venv, folder)
    binary = environment / 'bin'
    install = ['--python', str(binary / 'python'), 'install', '--no-deps', str(wheel)]
    run([*pip, *install], folder)
    (site,) = environment.glob('lib/*/site-packages')
    # Not `site.addsitedir`: an editable install of the clone must not count.
    (site / 'libraries.pth').write_text(sysconfig.get_path('purelib') + '\n')
    return binary


def run(words: list[str], folder: Path) -> str:
    """The output of a command that must succeed, in a folder, without PYTHONPATH."""
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize('source', ['gan_vae.config', 'configs'])
def test_the_wheel_trains_samples_and_evaluates(installed, tmp_path, source):
    if source == 'configs':  # beside a package of this name of another project
        for name in ('__init__.py', 'default.py'):
            (tmp_path / 'configs').mkdir(exist_ok=True)
            (tmp_path / 'configs' / name).write_text(OTHER)
    file = tmp_path / 'mine.py'
    file.write_text(CONFIG.replace('SOURCE', source))
    gan_vae = str(installed / 'gan_vae')
    where = run([str(installed / 'python'), '-c', WHERE], tmp_path).strip()
    assert Path(where).is_relative_to(installed.parent)
    for name in ('py.typed', *PAGES):
        assert (Path(where).parent / name).is_file(), name
    for mode in ('studio', 'export'):
        assert run([gan_vae, mode, '--help'], tmp_path).startswith(f'gan_vae {mode}')
    train = ['train', f'--config={file}:tiny', '--workdir=run']
    run([gan_vae, *train, '--config.parallel.devices=1'], tmp_path)
    summary = json.loads((tmp_path / 'run' / 'summary.json').read_text())
    assert summary['step'] == 4 and summary['git_commit'] == ''
    for word in ('pretrained:emoji_gan', 'run'):
        name = word.partition(':')[2] or word
        sample = ['art', 'sample', f'--workdir={word}', '--num=4', f'--out={name}-4']
        run([gan_vae, *sample], tmp_path)
        assert len(list((tmp_path / f'{name}-4').glob('*.png'))) == 4
    scored = run([gan_vae, 'evaluate', 'run-4', 'run-4', '--metrics=swd'], tmp_path)
    assert scored.startswith('swd_32 0 | 4 of pictures run-4')


@pytest.mark.slow
def test_the_readme_renders_as_the_page_of_the_package(installed):
    """What an index of packages shows; --strict: warnings are errors."""
    (wheel,) = installed.parents[1].glob('*.whl')
    twine = [sys.executable, '-m', 'twine', 'check', '--strict', str(wheel)]
    assert 'PASSED' in run(twine, installed.parent)


PAGES = 'studio/static/screens/home.js', 'export/static/sampler.html'
WHERE = 'import gan_vae; print(gan_vae.__file__)'


def test_a_mode_is_a_word_and_a_wrong_one_is_one_line(capsys):
    assert command.main(['tarin']) == 2
    error = capsys.readouterr().err
    assert "did you mean 'train'" in error and error.count('\n') == 1
    assert command.main(['train', '--config=nope.py']) == 2
    assert "no config file 'nope.py'" in capsys.readouterr().err
    assert command.main(['--help']) == 0
    help_text = capsys.readouterr().out
    for mode in (*command._RUNS, *command._TOOLS):
        assert f'gan_vae {mode} ' in help_text
        with contextlib.suppress(SystemExit):  # argparse's own help
            assert command.main([mode, '--help']) == 0


@pytest.mark.parametrize('own', [False, True])
def test_configs_is_that_of_the_package_unless_the_file_is_in_one(own, tmp_path):
    """A config copied elsewhere has the defaults, whatever `configs` is on sys.path."""
    from gan_vae import config as config_lib

    other = tmp_path / 'configs'
    other.mkdir()
    (other / 'default.py').write_text(
        'from gan_vae.config.default import *\n'
        'def get_config():\n'
        '    raise ValueError("of the folder configs")\n'
    )
    file = (other if own else tmp_path) / 'mine.py'
    file.write_text(CONFIG.replace('SOURCE', 'configs'))
    before = {n: m for n, m in sys.modules.items() if n.startswith('configs')}
    if own:
        with pytest.raises(config_lib.UserError, match='ValueError: of the folder'):
            config_lib.load(str(file))
    else:
        assert config_lib.load(f'{file}:tiny').name == 'mine-tiny'
    assert {n: m for n, m in sys.modules.items() if n.startswith('configs')} == before


@pytest.mark.slow
def test_the_folder_of_a_clone_does_not_hide_an_editable_install(tmp_path):
    """The clone is called as the package is, and is no package."""
    source = tmp_path / 'gan_vae'
    without = shutil.ignore_patterns('__pycache__', '.*', 'runs')
    shutil.copytree(ROOT / 'gan_vae', source / 'gan_vae', ignore=without)
    for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE', 'NOTICE'):
        shutil.copy(ROOT / name, source)
    environment = tmp_path / 'environment'
    run([sys.executable, '-m', 'venv', '--without-pip', str(environment)], tmp_path)
    python = environment / 'bin' / 'python'
    pip = [sys.executable, '-m', 'pip', '--quiet', '--python', str(python)]
    run([*pip, 'install', '--no-deps', '-e', str(source)], tmp_path)
    code = 'import gan_vae; print(gan_vae.__version__)'
    assert run([str(python), '-c', code], tmp_path).strip()
