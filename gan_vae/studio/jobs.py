"""Work in a thread of its own, one job after the other, which pages watch and stop.

JAX computes one thing at a time here, so there is one worker. A job ends within a step
of its tool when it is stopped, with the best so far.
"""

import gc
import itertools
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax

from gan_vae.art.progress import Watched
from gan_vae.errors import UserError

FRESH = 40  # jobs, after which compiled programs are dropped: one for each size of
# pictures, and nobody says when the last one of a size has come
ACTIVE = 'waiting', 'running'
WAITING = 8  # jobs that have not begun, at most
REMEMBERED = 60  # ended ones
TOLD = 0.1  # seconds between two reports of progress, at least


@dataclass(eq=False)
class Job:
    """Something to do; what of it is done.

    work: what is done, which gives what the page is told at the end.
    """

    page: str  # whose
    tool: str
    work: Callable[['Job'], Any]
    id: str = ''
    state: str = 'waiting'  # running, done, failed
    what: str = ''  # is being done
    at: int = 0  # items of it that are done
    of: int | None = None  # items that there are
    result: Any = None
    error: str = ''  # one line
    stop: threading.Event = field(default_factory=threading.Event)
    told: Callable[[], None] = lambda: None

    def told_of(self) -> dict:
        """JSON of it."""
        names = 'id', 'tool', 'state', 'what', 'at', 'of', 'result', 'error'
        about = {name: getattr(self, name) for name in names}
        return about | {'stopping': self.stop.is_set() and self.state == 'running'}

    @contextmanager
    def watcher(self, _: str) -> Iterator[Watched]:
        """The Watcher of art.making.make."""
        last = 0.0

        def progress(items: Iterable, what: str) -> Iterator:
            nonlocal last
            self.what, self.at = what, 0
            self.of = len(items) if isinstance(items, Sized) else None
            self.told()
            for number, item in enumerate(items):
                self.at = number
                if time.monotonic() - last > TOLD:
                    last = time.monotonic()
                    self.told()
                yield item
            self.what, self.of = '', None

        yield Watched(progress, self.stop.is_set)


class Jobs:
    """The queue, and its thread. `changed` is called in any thread, at every change."""

    def __init__(self, changed: Callable[[], None]):
        self.changed = changed
        self.every: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._waiting: deque[Job] = deque()
        self._lock = threading.Condition()
        threading.Thread(target=self._run, daemon=True, name='studio').start()

    def submit(self, job: Job) -> Job:
        """Puts a job last. A UserError where too many wait."""
        with self._lock:
            if len(self._waiting) >= WAITING:
                raise UserError(f'{WAITING} jobs are waiting: stop one, or wait')
            job.id, job.told = f'{next(self._numbers)}', self.changed
            self.every[job.id] = job
            self._forget()
            self._waiting.append(job)
            self._lock.notify()
        self.changed()
        return job

    def stop(self, job: Job):
        """Ends a job: one that waits is not begun."""
        with self._lock:
            job.stop.set()
            if job in self._waiting:
                self._waiting.remove(job)
                job.state, job.error = 'failed', 'stopped before it began'
        self.changed()

    def stop_all_of(self, page: str):
        """Ends all jobs of a page."""
        for job in self.of(page):
            if job.state in ACTIVE:
                self.stop(job)

    def of(self, page: str) -> list[Job]:
        """Those of a page, the newest last."""
        with self._lock:
            return [job for job in self.every.values() if job.page == page]

    def active(self) -> int:
        """How many have not ended, of all pages."""
        with self._lock:
            return sum(job.state in ACTIVE for job in self.every.values())

    def _run(self):
        while True:
            with self._lock:
                while not self._waiting:
                    self._lock.wait()
                job = self._waiting.popleft()
                job.state = 'running'
            self._do(job)
            with self._lock:
                self._forget()
            if int(job.id) % FRESH == 0:
                jax.clear_caches()
                gc.collect()
            self.changed()

    def _forget(self):
        """Drops the oldest ended jobs."""
        ended = [j for j in self.every.values() if j.state in ('done', 'failed')]
        for old in ended[:-REMEMBERED]:
            del self.every[old.id]

    def _do(self, job: Job):
        self.changed()
        try:
            job.result = job.work(job)
            state = 'done'
        except UserError as error:
            job.error, state = str(error), 'failed'
        except OSError as error:
            place, why = error.filename or 'the album', error.strerror or error
            job.error, state = f'{place} cannot be used: {why}', 'failed'
        except MemoryError:
            job.error = 'not enough memory: take less or smaller pictures'
            state = 'failed'
        except Exception:  # the server goes on, whatever a tool does
            traceback.print_exc(file=sys.stderr)
            job.error = (
                f'{job.tool} failed: a fault of ours, and the terminal says where'
            )
            state = 'failed'
        job.state = state
