"""Places without what Linux has: locks, a home folder, and modules of POSIX."""

import errno
import os
import subprocess
import sys

import pytest

from gan_vae import cache, files

ALONE = """
import sys
from gan_vae import files
lock = files.try_lock(sys.argv[1])
print('taken' if lock is None else 'free', flush=True)
"""


def other(path) -> str:
    """What another process finds."""
    command = [sys.executable, '-c', ALONE, str(path)]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def test_a_lock_keeps_other_processes_out_until_it_and_its_heirs_close(tmp_path):
    path = tmp_path / 'lock'
    with files.lock(path) as lock:
        assert other(path) == 'taken' and files.try_lock(path) is None
        command = [sys.executable, '-c', 'input()']
        heir = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=(lock.fileno(),)
        )
    assert other(path) == 'taken'  # by the heir
    heir.communicate(b'\n')
    assert other(path) == 'free'


def test_a_file_system_without_locks_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr('filelock.lock_descriptor', refuse)
    monkeypatch.setattr(files, '_unlocked', set())
    with files.try_lock(tmp_path / 'a') as one, files.lock(tmp_path / 'b'):
        one.write('usable')
    told = capsys.readouterr().err
    assert told.count('\n') == 1 and 'no locks (No locks available)' in told


NO_HOME = """
import os, pwd
def fail(*_):
    raise KeyError('no such user')
pwd.getpwuid = pwd.getpwnam = fail
from gan_vae import cache, files
folder = cache.root()
assert folder == cache.root() and folder.stat().st_mode & 0o077 == 0
print(folder, files.expand('~/x'), files.expand('~who/x'))
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='pwd')
def test_without_a_home_folder_the_cache_is_temporary():
    plain = ('HOME', 'GAN_VAE_CACHE')
    env = {key: value for key, value in os.environ.items() if key not in plain}
    command = [sys.executable, '-c', NO_HOME]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder, *words = done.stdout.split()
    assert words == ['~/x', '~who/x'] and not os.path.exists(folder)
    assert done.stderr.count('\n') == 1 and 'set GAN_VAE_CACHE' in done.stderr
    assert cache.root() != folder


WINDOWS = """
import importlib, os, pkgutil, signal, sys, warnings
import clu, jax, optuna, orbax.checkpoint, tensorflow_datasets  # run on Windows
warnings.simplefilter('ignore')  # filelock takes this for a platform without locks
for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios', 'pty', 'posix'):
    sys.modules[name] = None
for name in ('SIGKILL', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGCHLD'):
    delattr(signal, name)
for name in ('fork', 'getuid', 'geteuid', 'mkfifo', 'killpg', 'setsid', 'getpgid'):
    delattr(os, name)
sys.platform = 'win32'
import gan_vae
names = [m.name for m in pkgutil.walk_packages(gan_vae.__path__, 'gan_vae.')]
for name in names:
    if not name.endswith('__main__'):
        importlib.import_module(name)
print(len(names))
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='is there itself')
def test_every_module_can_be_imported_where_posix_is_not():
    pytest.importorskip('optuna')
    command = [sys.executable, '-c', WINDOWS]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 100
