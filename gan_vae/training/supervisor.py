"""Who watches over a host's process: names the host that others wait for in vain.

A collective that loses a host ends in a native abort, or waits for ever, and neither
says who is missing. So on many hosts each launch.py runs the training in a child and
keeps <run folder>/hosts/<number>.json, which tells the others that it lives (a beat)
and why it ended. All hosts see all files, as they must see the checkpoints.
"""

import ctypes
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae.errors import RunError, UserError, short
from gan_vae.interrupt import Watch, cleanup
from gan_vae.runs import folder as run_folder

JOIN_SECONDS = 120  # for all hosts to be started
LOST_SECONDS = 30  # without a beat: dead, or cut off
BEAT_SECONDS = 0.5
CHILD = 'GAN_VAE_SUPERVISED'  # in the environment of the process that trains
LOST = 75  # exit status: another host broke a collective off; so does JAX's abort
_SECONDARY = (LOST, -signal.SIGABRT)
# Of a child that a signal ends before its first step.
_STOPPED = (-signal.SIGTERM, 128 + signal.SIGTERM, 128 + signal.SIGINT)
_ALIVE = ('waiting', 'running')
_GO_ON = 'the same command on all hosts goes on from the last checkpoint'
# Lines of the native libraries, which are kept in the log alone.
_NATIVE = re.compile(
    r'[EFWI]\d{4} |    @ +|\*\*\* |\[Gloo\]|lost: |RPC: |:UNKNOWN:'
    r'|Additional GRPC error'
)


class Place(NamedTuple):
    """Which of the hosts of a run this is."""

    host: int
    hosts: int
    coordinator: str  # address:port of host 0; '' where JAX detects the cluster


_RANKS = (  # what starts the processes of a cluster sets: number, count
    ('SLURM_PROCID', 'SLURM_NTASKS'),
    ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'),
    ('PMI_RANK', 'PMI_SIZE'),
)


def place(host: int | None, count: str, coordinator: str) -> Place | None:
    """The Place that the flags --host, --hosts and --coordinator say; None: one host.

    count 'auto' takes both numbers from the environment of Slurm, Open MPI or PMI.
    """
    if not count:
        if host is not None or coordinator:
            raise UserError('--host and --coordinator need --hosts=N (or auto)')
        return None
    if count == 'auto':
        ranks = [pair for pair in _RANKS if all(name in os.environ for name in pair)]
        if not ranks:
            names = ', '.join(rank for rank, _ in _RANKS)
            raise UserError(
                f'--hosts=auto: none of {names} is set; start with srun or mpirun, or '
                'give --hosts=N --host=I --coordinator=ADDRESS:PORT'
            )
        if host is not None:
            raise UserError('--hosts=auto sets --host itself: leave one of them out')
        host, number = (int(os.environ[name]) for name in ranks[0])
    elif not count.isdecimal() or int(count) < 1:
        raise UserError(f'--hosts={count}: give a number of 1 or more, or auto')
    else:
        number = int(count)
        if host is None or not coordinator:
            raise UserError(
                f'--hosts={count} needs --host=I from 0 to {number - 1} and '
                '--coordinator=ADDRESS:PORT, an open port of host 0'
            )
    if not 0 <= host < number:
        raise UserError(f'--host={host}: must be from 0 to {number - 1}')
    name, _, port = coordinator.rpartition(':')
    if coordinator and not (name and port.isdecimal() and 0 < int(port) < 2**16):
        raise UserError(f'--coordinator={coordinator}: write ADDRESS:PORT')
    return Place(host, number, coordinator)


def run(command: list[str], where: Place, workdir, about: dict) -> int:
    """The exit status of `command`, one host's part of a run; a UserError or RunError
    names the host that ended it. `about`: what must be equal on all hosts."""
    folder = Path(workdir) / 'hosts'
    board = _Board(folder, where, about)
    try:
        board.gather()
        with open(folder / f'{where.host}.log', 'w') as log:
            return _watch(command, board, log)
    except UserError as error:
        if board.state in _ALIVE:
            board.post('gone', str(error))
        raise


def about(config) -> dict[str, str]:
    """What all hosts must have alike: the config but where things are, the code."""
    own = ('data.dir', 'data.storage', 'data.memory_gb')
    flat = config_lib.flatten(config).items()
    equal = {f'config.{key}': str(value) for key, value in flat if key not in own}
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for file in sorted(root.rglob('*.py')):
        digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    versions = {f'version of {k}': v for k, v in run_folder.versions().items()}
    return equal | {'code': digest.hexdigest()[:12]} | versions


class _Board:
    """The files of all hosts: this one's is written, the others' are read."""

    def __init__(self, folder: Path, where: Place, about: dict):
        self.folder, self.host = folder, where.host
        self.others = [n for n in range(where.hosts) if n != where.host]
        flags = {'--hosts': where.hosts, '--coordinator': where.coordinator}
        self._card = {
            'name': socket.gethostname(),
            'id': uuid.uuid4().hex,
            'about': about | flags,
            'beat': 0,
        }
        self._first: dict[int, tuple] = {}  # what was there before: maybe long dead
        self._seen: dict[int, float] = {}  # when the last beat came
        self.cards: dict[int, dict[str, Any]] = {}  # of the living
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'cannot write in {folder}: {error.strerror}') from error
        for number in self.others:
            self._first[number] = _mark(self._read(number))
        self.post('waiting')

    def post(self, state: str, message: str = ''):
        """Writes this host's file; a full disk is no reason to die."""
        beat = self._card['beat'] + 1
        self._card |= {'state': state, 'message': message, 'beat': beat}
        with suppress(OSError):
            files.write(self.folder / f'{self.host}.json', json.dumps(self._card))

    @property
    def state(self) -> str:
        return self._card['state']

    def _read(self, number: int) -> dict:
        try:
            card = json.loads((self.folder / f'{number}.json').read_text())
            return card if isinstance(card, dict) else {}
        except (OSError, ValueError):
            return {}

    def look(self):
        """Beats, and reads the others."""
        if self._read(self.host).get('id') not in (None, self._card['id']):
            self._card['state'] = 'replaced'  # and says nothing more: the file is its
            raise UserError(
                f'another process is host {self.host} in {self.folder.parent} too: '
                'give each a --host of its own'
            )
        self.post(self.state, self._card['message'])
        for number in self.others:
            card = self._read(number)
            before = self.cards.get(number)
            mark = _mark(card)
            if card and mark not in (self._first[number], before and _mark(before)):
                self.cards[number], self._seen[number] = card, time.monotonic()

    def gather(self):
        """Returns when all hosts are there and alike."""
        until = time.monotonic() + JOIN_SECONDS
        while len(self.cards) < len(self.others):
            if time.monotonic() > until:
                missing = [str(n) for n in self.others if n not in self.cards]
                raise RunError(
                    f'host {", ".join(missing)} did not come within {JOIN_SECONDS} s: '
                    'start the same command there; all hosts must see the run folder '
                    f'{self.folder.parent.absolute()}'
                )
            time.sleep(BEAT_SECONDS)
            self.look()
        for number in self.others:
            for what, value in self._card['about'].items():
                other = self.cards[number]['about'].get(what)
                if other != value:
                    raise UserError(
                        f'{what} of {self.called(number)} and of host {self.host} '
                        f'differ ({short(other, 60)}, {short(value, 60)}): give all '
                        'hosts the same'
                    )

    def called(self, number: int) -> str:
        return f'host {number} ({self.cards[number]["name"]})'

    def culprit(self) -> str:
        """Which other host ended the run, and why; '' while all live."""
        for number, card in self.cards.items():
            if card['state'] == 'failed':
                return f'{self.called(number)} ended: {card["message"]}'
        for number, since in self._seen.items():
            silent = time.monotonic() - since
            if silent > LOST_SECONDS and self.cards[number]['state'] in _ALIVE:
                return (
                    f'{self.called(number)} has not been heard of for {silent:.0f} s; '
                    + _GO_ON
                )
        for card in self.cards.values():
            if card['state'] == 'gone':  # maybe it missed this very host
                return card['message']
        return ''


def _mark(card: dict) -> tuple:
    return card.get('id'), card.get('beat')


def _watch(command: list[str], board: _Board, log: TextIO) -> int:
    """Runs the child to its end, or ends it when another host has failed."""
    with Watch('all hosts save the same step and stop') as watch, ExitStack() as ends:
        child = subprocess.Popen(
            command,
            env=os.environ | {CHILD: '1', 'PYTHONPATH': os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors='replace',
            preexec_fn=_die_with_parent if sys.platform == 'linux' else None,
        )
        lines: list[str] = []
        streams = ((child.stdout, sys.stdout, []), (child.stderr, sys.stderr, lines))
        readers = [threading.Thread(target=_echo, args=(log, *of)) for of in streams]
        for reader in readers:
            reader.start()
            ends.callback(reader.join)
        ends.callback(child.wait)
        ends.enter_context(cleanup(child.kill))
        board.post('running')
        stopping = False
        while child.poll() is None:
            if watch.asked and not stopping:
                stopping = True
                child.terminate()
            time.sleep(BEAT_SECONDS)
            board.look()
            cause = board.culprit()
            if cause and not _last(lines, 'gan_vae: '):
                raise RunError(cause)
    return _ended(child.returncode, stopping, board, lines)


def _ended(status: int, stopping: bool, board: _Board, lines: list[str]) -> int:
    """The exit status of a host whose child ended with `status`, its last lines as
    given; a RunError that says why where it failed."""
    if status == 0:
        board.post('done')
        return 0
    if stopping and status in _STOPPED:
        board.post('failed', f'stopped before its first step; {_GO_ON}')
        raise RunError(f'host {board.host} was stopped before its first step')
    until = time.monotonic() + LOST_SECONDS + 5
    while status in _SECONDARY and time.monotonic() < until:
        board.look()
        if cause := board.culprit():
            raise RunError(cause)
        time.sleep(BEAT_SECONDS)
    if message := _last(lines, 'gan_vae: '):
        board.post('failed', message)
        return status
    how = f'signal {-status}' if status < 0 else f'status {status}'
    if lost := _last(lines, 'lost: '):
        how += f' ({lost})'
    board.post('failed', f'its process ended with {how}; {_GO_ON}')
    raise RunError(
        f'the process of host {board.host} ended with {how}: see '
        f'{board.folder}/{board.host}.log; {_GO_ON}'
    )


def _last(lines: list[str], start: str) -> str:
    """The rest of the last line that starts so, or ''."""
    matching = [line for line in lines if line.startswith(start)]
    return matching[-1].removeprefix(start).strip() if matching else ''


def _echo(log, stream, terminal, lines: list[str]):
    for line in stream:
        log.write(line)
        log.flush()
        lines[:] = [*lines[-500:], line]
        if not _NATIVE.match(line):
            terminal.write(line)
            terminal.flush()


def _die_with_parent():
    """A supervisor killed by -9 takes its child along (Linux: PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
