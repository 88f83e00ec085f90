"""Signals: answered at once, whatever the main thread does; heard by the command alone.

GAN_VAE_MOMENTS=30 python -m pytest -n0 -s -m slow tests/test_interrupt.py
"""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gan_vae import config as config_lib
from gan_vae import interrupt
from gan_vae.art import __main__ as art
from gan_vae.errors import UserError
from gan_vae.evaluation.run import evaluate_run
from gan_vae.interrupt import Watch
from gan_vae.training import loop

MOMENTS = int(os.environ.get('GAN_VAE_MOMENTS', '10'))
SECOND = 2.5  # of a machine that does other work too: one where it is idle


def press(number=signal.SIGINT):
    os.kill(os.getpid(), number)


def test_the_first_signal_is_a_request(capfd):
    with interrupt.listening(), Watch('the page is turned') as watch:
        assert watch.asked is None and not watch.after(1)
        press(signal.SIGTERM)
        assert watch.asked == 'SIGTERM' and watch.after(1)
    line = 'SIGTERM: the page is turned; once more: ends at once\n'
    assert capfd.readouterr().err == line


TWICE = """
import os, sys, time
from gan_vae import files, interrupt
def main(argv):
    # Past Python's buffers, whose lock the main thread may hold while it is answered.
    undo = lambda: os.write(1, b'undone\\n')
    with interrupt.Watch('the page is turned') as watch, files.temporary_folder():
        with files.temporary_folder() as folder, interrupt.cleanup(undo):
            print('ready', flush=True)
            print(folder, flush=True)
            while True:
                assert not watch.asked or print('asked', flush=True) or time.sleep(60)
interrupt.command(main)
"""


def test_the_second_signal_ends_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    process = ready(TWICE)
    assert process.stdout.readline().startswith(str(tmp_path))
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == 'asked\n'
    process.send_signal(signal.SIGINT)
    output, lines = process.communicate(timeout=5)
    assert output == 'undone\n' and process.returncode == 130
    assert lines.splitlines() == [
        'SIGTERM: the page is turned; once more: ends at once',
        f'gan_vae: {interrupt.LAST_WORDS}',
    ]
    assert not list(tmp_path.iterdir())


def test_without_a_command_a_watch_is_never_asked():
    handlers = [signal.getsignal(number) for number in interrupt.SIGNALS]
    with interrupt.listening():
        assert signal.getsignal(signal.SIGINT) != handlers[0]
    assert [signal.getsignal(number) for number in interrupt.SIGNALS] == handlers
    with Watch('never') as watch, pytest.raises(KeyboardInterrupt):
        press()
        time.sleep(5)
    assert watch.asked is None


BUSY = """
import ctypes, sys
from gan_vae import interrupt
def main(argv):
    print('ready', flush=True)
    {work}
    return 0
interrupt.command(main)
"""


def ready(code):
    """A process of Python that has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, '-c', code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'ready\n'
    return process


@pytest.mark.parametrize(
    'work, seconds',
    [
        ('ctypes.CDLL(None).pause()', 5),  # like a compilation: no bytecode runs
        ('sys.stdin.read()', 5),
        ('while True: pass', 5),
        # no exception is raised, which compiled code could lose or crash on
        ('try: sys.stdin.read()\n    finally: ctypes.string_at(0)', 1),
        # cleaning up that hangs
        ('with interrupt.cleanup(sys.stdin.read): sys.stdin.read()', 5),
    ],
)
def test_a_busy_main_thread_is_no_reason_not_to_answer(work, seconds):
    process = ready(BUSY.format(work=work))
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    assert process.stderr.readline() == f'gan_vae: {interrupt.LAST_WORDS}\n'
    assert time.monotonic() - begin < SECOND
    assert process.wait(seconds) == 130 and process.stderr.read() == ''


def test_a_reader_that_has_gone_is_no_reason_to_go_on():
    process = ready(BUSY.format(work='sys.stdin.read()'))
    process.stderr.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 143


CHILD = """
import sys
from gan_vae import interrupt
def main(argv):
    end = int(argv[0])
    code = f'import os, time; os.write({end}, b"%d" % os.getpid()); time.sleep(60)'
    interrupt.run([sys.executable, '-c', code], pass_fds=[end])
interrupt.command(main)
"""


def test_a_child_ends_with_its_command():
    mine, its = os.pipe()
    process = subprocess.Popen(
        [sys.executable, '-c', CHILD, str(its)],
        pass_fds=[its],
        stdout=subprocess.PIPE,
        text=True,
    )
    os.close(its)
    assert int(os.read(mine, 20)) > 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 143
    assert os.read(mine, 20) == b''  # nobody has its end any more
    done = interrupt.run([sys.executable, '-c', 'print(3); import sys; sys.exit(7)'])
    assert (done.stdout, done.stderr, done.returncode) == ('3\n', '', 7)


SERVER = """
import os, sys, time
from gan_vae import interrupt
def main(argv):
    with interrupt.Ending('it ends'):
        with interrupt.Watch('a file is written'):
            print('ready', flush=True)
            sys.stdin.readline()
            print('written', flush=True)
        time.sleep(60)
interrupt.command(main)
"""


def test_a_server_ends_when_what_is_being_written_is_whole():
    process = ready(SERVER)
    process.send_signal(signal.SIGTERM)
    assert process.stderr.readline().startswith('SIGTERM: a file is written')
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    output, rest = process.communicate('\n', timeout=5)
    assert (output, rest, process.returncode) == ('written\n', '', 143)


def test_a_server_says_that_it_ends():
    code = SERVER.replace("interrupt.Watch('a file is written')", 'open(os.devnull)')
    process = ready(code)
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == 'SIGINT: it ends; once more: ends at once\n'
    assert process.wait(5) == 130


def test_a_reader_that_has_enough_is_no_error():
    words = f'{sys.executable} launch.py --help | head -1'
    done = subprocess.run(words, shell=True, capture_output=True, text=True)
    assert done.stdout.startswith('python launch.py') and not done.stderr


@pytest.mark.slow
def test_training_evaluation_and_art_work_in_a_worker_thread(tmp_path):
    def work():
        assert threading.current_thread() is not threading.main_thread()
        changes = {'data.image_size': '16', 'parallel.devices': '1'}
        config = config_lib.load('configs/dcgan_emoji.py:tiny', changes)
        run = tmp_path / 'run'
        summary = loop.train(config, run)
        assert (
            list(evaluate_run(run, metrics='')) and (run / 'evaluation.jsonl').exists()
        )
        words = ['sample', f'--workdir={run}', '--num=2', f'--out={run}-art']
        assert art.main(words) == 0 and len(list((tmp_path / 'run-art').iterdir())) == 2
        with loop.alone(), pytest.raises(UserError, match='another thread'):
            loop.train(config, run)
        return summary['step']

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == 4


def started(folder, config, cache, steps=100_000):
    return subprocess.Popen(
        [
            *(sys.executable, 'launch.py', f'--config=configs/{config}'),
            *(f'--workdir={folder}', f'--config.train.steps={steps}'),
            *('--config.data.name=toy_shapes', '--config.eval.metrics='),
        ],
        env=os.environ | {'GAN_VAE_CACHE': str(cache), 'XLA_FLAGS': ''},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_it_listens(process):
    """SIGTERM is caught by the command; Python itself, while it starts, catches SIGINT
    alone, and nobody can answer for it."""
    number = 1 << (signal.SIGTERM - 1)
    status = Path(f'/proc/{process.pid}/status')
    until = time.monotonic() + 30
    while not int(re.search(r'SigCgt:\s*(\w+)', status.read_text())[1], 16) & number:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize(
    'config, warm',
    [
        ('dcgan_emoji.py:tiny', False),
        ('vae_cifar.py:small', False),
        ('dcgan_emoji.py:tiny', True),
    ],
)
def test_ctrl_c_is_answered_at_any_moment(config, warm, tmp_path):
    moments = random.Random(config)
    if warm:
        first = started(tmp_path / 'first', config, tmp_path / 'cache', steps=1)
        assert not first.communicate(timeout=300)[1] and first.returncode == 0
    for number in range(MOMENTS):
        cache = tmp_path / 'cache' if warm else tmp_path / f'cache{number}'
        moment = moments.uniform(0, moments.choice((2, 20)))  # imports take a second
        process = started(tmp_path / str(number), config, cache)
        wait_until_it_listens(process)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        line = process.stderr.readline()
        answered = time.monotonic() - begin
        output, rest = process.communicate(timeout=60)
        took = time.monotonic() - begin
        print(f'{config} {moment:.1f} s: {answered:.2f} s {line!r} {took:.1f} s')
        assert answered < SECOND
        if line == f'gan_vae: {interrupt.LAST_WORDS}\n':
            assert process.returncode == 130 and took < 3
        else:
            assert line.startswith('SIGINT: the step at hand is finished and saved')
            assert process.returncode == 0 and 'SIGINT: saved step' in output
        assert 'Traceback' not in rest and 'rror' not in rest, rest
