"""The command: one line for each mistake, and an album that is not of the clone."""

import os
import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip('starlette', reason='the extra studio')

from gan_vae.studio import __main__ as command


@pytest.mark.parametrize(
    'words, message',
    [
        (['nowhere'], 'no run in nowhere'),
        (['pretrained:emoji'], 'unknown pretrained model'),
        (['file'], 'file is a file'),
        (['--port=70000'], '--port=70000: must be from 0'),
        (['--port=abc'], 'argument --port'),
        (['--quota=0'], '--quota=0'),
        (['--albun=x'], "did you mean '--album'"),
        (['--album=file'], 'cannot write in file'),
        (['--album=taken'], 'cannot write in'),
        (['--host=ä..b'], 'cannot listen at'),
        (['--host=192.0.2.1'], 'cannot listen at 192.0.2.1'),
    ],
)
def test_mistakes_are_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_text('')
    (tmp_path / 'taken' / '.lock').mkdir(parents=True)
    monkeypatch.setattr(command, '_settle', lambda: None)
    assert command.main([*words, '--no-browser']) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1, error


def test_names_and_addresses():
    assert command._names('127.0.0.1')[0] == '127.0.0.1'
    assert command._names('::1')[0] == '[::1]'
    assert command._names('studio.example')[0] == 'studio.example'
    assert command._names('0.0.0.0')[0] not in ('0.0.0.0', '')


@pytest.mark.slow
def test_it_starts_elsewhere_refuses_a_second_and_ends_in_a_line(tmp_path):
    path = os.pathsep.join(os.path.abspath(p) for p in sys.path)
    words = [sys.executable, '-m', 'gan_vae', 'studio', '--no-browser', '--album=a']
    where = {'cwd': tmp_path, 'env': os.environ | {'PYTHONPATH': path}}
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    first = subprocess.Popen(words, **where, **pipes)
    line = first.stdout.readline()
    assert re.fullmatch(r'the studio is at http://127\.0\.0\.1:\d+/\?token=\S+\n', line)
    second = subprocess.run(words, **where, **pipes)
    assert second.returncode == 2 and 'another studio has' in second.stderr
    first.send_signal(signal.SIGTERM)
    _, error = first.communicate(timeout=20)
    assert first.returncode == 143 and error.startswith('SIGTERM: the studio ends')
    assert error.count('\n') == 1
