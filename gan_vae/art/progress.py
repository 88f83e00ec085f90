"""How far a tool is, and whether it is to stop: of a command, at its terminal.

Bars on a terminal, elsewhere a line at least each 30 s; Ctrl-C stops.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from tqdm import tqdm

from gan_vae.interrupt import Watch

SECONDS = 30.0  # between lines


class Watched(NamedTuple):
    """What a tool is given while somebody watches it."""

    progress: Callable[[Iterable, str], Iterator]  # (items, what is done) -> the items
    asked: Callable[[], bool]  # whether it is to end with the best so far


Watcher = Callable[[str], AbstractContextManager[Watched]]  # of the name of a tool


@contextmanager
def at_terminal(command: str) -> Iterator[Watched]:
    """The Watcher of a command."""
    with Watch('ends with the best so far') as watch, reported(command) as progress:
        yield Watched(progress, lambda: watch.asked is not None)


@contextmanager
def reported(command: str) -> Iterator[Callable[[Iterable, str], Iterator]]:
    """Gives progress(items, what) -> the same items, `what` being what is done.

    Where standard error is no terminal, a thread writes the lines, so that they come
    while one long step runs, and before the first and after the last.
    """
    if sys.stderr.isatty():
        yield lambda items, what: iter(
            tqdm(items, what, leave=False, dynamic_ncols=True)
        )
        return
    state, ended, start = ['at work'], threading.Event(), time.monotonic()

    def progress(items, what: str) -> Iterator:
        count = f' of {len(items)}' if hasattr(items, '__len__') else ''
        for number, item in enumerate(items):
            state[0] = f'{what}, {number}{count}'
            yield item
        state[0] = f'after {what}'

    def report():
        while not ended.wait(SECONDS):
            seconds = time.monotonic() - start
            line = f'{command}: {state[0]}, after {seconds:.0f} s'
            print(line, file=sys.stderr, flush=True)

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        ended.set()
        thread.join()
