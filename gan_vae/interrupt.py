"""Signals as requests to stop: a command listens to them, the library asks a Watch.

Without a command (a notebook, a worker thread of a server) a Watch is never asked to
stop, and Ctrl-C is Python's own KeyboardInterrupt.

Python runs signal handlers in its main thread between two bytecodes. A compilation
occupies that thread for minutes. So a thread of its own answers: it reads the numbers
that Python's C handler writes to a socket at once (signal.set_wakeup_fd).

A command raises no KeyboardInterrupt. Compiled code that is not made for one, as when
jaxlib is imported or XLA compiles, loses it or crashes. A process that ends on a signal
ends by os._exit instead, after what `cleanup` was given.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LAST_WORDS = 'stopped at once; finished files and checkpoints stay'
GRACE_SECONDS = 1.0  # for what cleans up, from the answer to the end of the process
_watches: list['Watch'] = []
_cleanups: list[Callable[[], object]] = []


class Watch:
    """Inside, the first SIGINT or SIGTERM is a request, and the second ends at once.

    asked: the name of the signal, or None. action: what the request leads to, in words
    for the user. waits: while False, nothing is to be finished, and the first signal
    ends the process too.
    """

    def __init__(self, action: str, waits: bool = True):
        self.action, self.waits = action, waits
        self.asked: str | None = None

    def __enter__(self):
        _watches.append(self)
        return self

    def __exit__(self, *_):
        _watches.remove(self)

    def request(self, name: str):
        """Called once, in the thread that answers."""
        self.asked = name

    def after(self, step: int) -> bool:
        """Whether this step is the last one."""
        return self.asked is not None


class Ending(Watch):
    """Inside, a signal ends the process as soon as no other Watch has anything to
    finish, as files that are being written: for a server, which never ends itself."""

    def request(self, name: str):
        super().request(name)
        threading.Thread(target=self._end, args=(signal.Signals[name],)).start()

    def _end(self, number: signal.Signals):
        while any(watch is not self and watch.waits for watch in list(_watches)):
            time.sleep(0.01)
        _end(number)


@contextmanager
def cleanup(undo: Callable[[], object]) -> Iterator[None]:
    """Calls undo() at the end, also where a signal ends the process inside: in another
    thread then, and in less than GRACE_SECONDS. No `finally` clause runs there. It may
    be called twice, at one time."""
    _cleanups.append(undo)
    try:
        yield
    finally:
        try:
            undo()
        finally:
            _cleanups.remove(undo)


def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """As subprocess.run with its output as text; a signal ends the child too."""
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    with subprocess.Popen(command, **pipes, **options) as child, cleanup(child.kill):
        output, errors = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, output, errors)


class _Listener:
    """Answers signals in a thread of its own, with a line each."""

    def __init__(self):
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._marks = [0, 0]  # sent by the main thread, read by the other
        self._old_handlers = {n: signal.signal(n, self._handle) for n in SIGNALS}
        self._old_socket = signal.set_wakeup_fd(self._sender.fileno())
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def close(self):
        signal.set_wakeup_fd(self._old_socket)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._sender.close()  # so that the thread reads the end, and returns
        self._thread.join()
        self._receiver.close()

    def _handle(self, number, frame):
        """Runs in the main thread, which sees requests from then on."""
        self._marks[0] += 1
        until = time.monotonic() + 2 * GRACE_SECONDS
        self._sender.send(b'\0')  # after the signal's own byte
        while self._marks[1] < self._marks[0] and time.monotonic() < until:
            time.sleep(0.001)

    def _answer(self):
        while numbers := self._receiver.recv(64):
            for number in numbers:
                if number == 0:
                    self._marks[1] += 1
                elif number in SIGNALS:
                    self._take(signal.Signals(number))

    def _take(self, number: signal.Signals):
        waiting = [w for w in list(_watches) if w.waits]
        if waiting and waiting[-1].asked is None:
            _write(f'{number.name}: {waiting[-1].action}; once more: ends at once')
            for watch in waiting:
                watch.request(number.name)
            return
        _write(f'gan_vae: {LAST_WORDS}')
        _end(number)


def _end(number: signal.Signals):
    """Cleans up, as far as there is time, and ends the process."""
    timer = threading.Timer(GRACE_SECONDS, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()
    for undo in reversed(list(_cleanups)):
        with suppress(Exception):  # the rest is cleaned up
            undo()
    os._exit(128 + number)


def _write(line: str):
    """To stderr, past Python's buffers: the main thread may be writing to them."""
    with suppress(OSError):  # who read them has gone
        begin = '\n' if os.isatty(2) else ''
        os.write(2, f'{begin}{line}\n'.encode())


def listening() -> AbstractContextManager:
    """Inside, signals are answered. For the main thread of a process only.

    A signal that no Watch waits for prints the last words and ends the process.
    """
    return closing(_Listener())


def command(main: Callable[[list[str]], int]):
    """Runs main(argv) as a process's command, and ends the process with its status.

    The status is 130 after SIGINT and 143 after SIGTERM, as of a shell's commands.
    """
    if reconfigure := getattr(sys.stdout, 'reconfigure', None):
        reconfigure(line_buffering=True)  # also when it is redirected
    _Listener()
    try:
        status = main(sys.argv[1:])
    except BrokenPipeError:
        try:
            print(flush=True)
        except BrokenPipeError:  # who reads the output, as `head`, has enough
            os._exit(0)
        raise
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    sys.exit(status)
