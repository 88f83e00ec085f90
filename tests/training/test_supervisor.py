"""Faults of hosts, seen from the supervisors of stand-ins for the training."""

import os
import signal
import subprocess
import sys
import time

import pytest

from gan_vae.errors import UserError
from gan_vae.training import supervisor

HOST = """
import sys
from gan_vae import interrupt
from gan_vae.errors import RunError, UserError
from gan_vae.training import supervisor
supervisor.JOIN_SECONDS, supervisor.LOST_SECONDS, supervisor.BEAT_SECONDS = 4, 3, 0.1
host, count, folder, about, child = sys.argv[1:]
where = supervisor.Place(int(host), int(count), '')
def main(argv):
    try:
        command = [sys.executable, '-c', child]
        return supervisor.run(command, where, folder, {'config.train.steps': about})
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
interrupt.command(main)
"""
WORK = 'import time; time.sleep(60)'
LOST = f'import time, sys; time.sleep(1); sys.exit({supervisor.LOST})'


def start(folder, host, child, count=2, about='4'):
    words = [str(host), str(count), str(folder), about, child]
    return subprocess.Popen(
        [sys.executable, '-c', HOST, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    """(exit status, the one line that it says)."""
    _, stderr = process.communicate(timeout=30)
    lines = [line for line in stderr.splitlines() if line.strip()]
    assert len(lines) == 1, stderr
    return process.returncode, lines[0]


def wait_for_child(folder, host):
    file = folder / 'hosts' / f'{host}.json'
    until = time.monotonic() + 20
    while not file.exists() or '"running"' not in file.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_hosts_that_succeed_say_nothing_more_than_their_work(tmp_path):
    both = [start(tmp_path, host, 'print("[Gloo] x"); print("y")') for host in (0, 1)]
    assert [p.communicate(timeout=30) for p in both] == [('y\n', '')] * 2
    assert [p.returncode for p in both] == [0, 0]


def test_a_host_that_fails_with_a_line_is_named_with_it_on_the_others(tmp_path):
    says = 'import sys; print("gan_vae: no data at /x", file=sys.stderr); sys.exit(2)'
    zero, one = start(tmp_path, 0, WORK), start(tmp_path, 1, says)
    assert end(one) == (2, 'gan_vae: no data at /x')
    status, line = end(zero)
    assert status == 1 and 'host 1 (' in line and 'no data at /x' in line


@pytest.mark.slow
@pytest.mark.parametrize('other', [WORK, LOST, 'import os; os.abort()'])
def test_a_killed_process_is_named_by_all_whatever_becomes_of_theirs(tmp_path, other):
    kill = 'import os, time; time.sleep(1); os.kill(os.getpid(), 9)'
    zero, one = start(tmp_path, 0, kill), start(tmp_path, 1, other)
    assert end(zero)[1].startswith('gan_vae: the process of host 0 ended with signal 9')
    status, line = end(one)
    assert status == 1 and 'host 0 (' in line and 'signal 9' in line


def test_a_host_that_vanishes_whole_is_missed_and_takes_its_child_along(tmp_path):
    write = f'import os; open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()));'
    zero, one = start(tmp_path, 0, WORK), start(tmp_path, 1, write + WORK)
    for host in (0, 1):
        wait_for_child(tmp_path, host)
    until = time.monotonic() + 10
    while not (tmp_path / 'pid').exists() or not (tmp_path / 'pid').read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    one.kill()
    status, line = end(zero)
    assert status == 1 and 'host 1 (' in line and 'not been heard of' in line
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'pid').read_text()), 0)


@pytest.mark.slow
def test_a_host_that_never_comes_is_named_and_its_old_file_is_not_believed(tmp_path):
    both = [start(tmp_path, host, 'pass') for host in (0, 1)]
    assert [p.wait(30) for p in both] == [0, 0]
    status, line = end(start(tmp_path, 0, WORK))
    assert status == 1 and 'host 1 did not come within 4 s' in line


def test_hosts_of_two_configs_do_not_start(tmp_path):
    both = [start(tmp_path, host, WORK, about=about) for host, about in enumerate('45')]
    for process in both:
        status, line = end(process)
        assert status == 2 and 'config.train.steps of host' in line and '4' in line


def test_a_signal_to_a_supervisor_reaches_the_child(tmp_path):
    child = (
        'import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0));'
        'print("ready", flush=True); time.sleep(60)'
    )
    alone = start(tmp_path, 0, child, count=1)
    assert alone.stdout.readline() == 'ready\n'
    alone.send_signal(signal.SIGINT)
    assert alone.wait(20) == 0
    assert alone.stderr.read().startswith('SIGINT: all hosts save the same step')


@pytest.mark.parametrize(
    'flags, message',
    [
        ((0, '', ''), 'need --hosts'),
        ((None, 'three', ''), 'a number'),
        ((None, '2', 'a:1'), '--host=I'),
        ((2, '2', 'a:1'), 'from 0 to 1'),
        ((0, '2', 'a'), 'ADDRESS:PORT'),
        ((None, 'auto', ''), 'srun or mpirun'),
    ],
)
def test_flags_that_make_no_place_are_one_line(flags, message, monkeypatch):
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    with pytest.raises(UserError, match=message):
        supervisor.place(*flags)


def test_a_cluster_says_the_place(monkeypatch):
    monkeypatch.setenv('SLURM_PROCID', '3')
    monkeypatch.setenv('SLURM_NTASKS', '8')
    assert supervisor.place(None, 'auto', '') == supervisor.Place(3, 8, '')
    assert supervisor.place(None, '', '') is None


def test_the_earlier_of_two_with_one_number_ends_and_leaves_the_other_be(tmp_path):
    earlier = start(tmp_path, 0, WORK, count=1)
    wait_for_child(tmp_path, 0)
    later = start(tmp_path, 0, 'import time; time.sleep(2)', count=1)
    status, line = end(earlier)
    assert status == 2 and 'another process is host 0' in line
    assert later.wait(20) == 0
