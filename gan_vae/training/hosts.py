"""One run on many hosts, from inside a host's process: joining, agreeing, stopping.

Collectives, the coordination service and the agreement on the step to stop at are
jax.distributed's. What a lost host looks like from outside is in supervisor.py.
"""

import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np
from jax.experimental import multihost_utils

from gan_vae.errors import RunError, UserError
from gan_vae.training.supervisor import LOST, Place


@contextmanager
def joined(where: Place | None) -> Iterator[None]:
    """Inside, JAX sees the devices of all hosts; None changes nothing.

    A failure ends the process at once: JAX's own end would wait for the others.
    """
    if where is None:
        yield
        return
    jax.distributed.initialize(where.coordinator or None, where.count, where.host)
    try:
        yield
    except Exception as error:
        broken = jax.errors.JaxRuntimeError
        if isinstance(error, broken) or isinstance(error.__cause__, broken):
            status, text = LOST, f'lost: {error}'
        elif isinstance(error, UserError):
            status = 1 if isinstance(error, RunError) else 2
            text = f'gan_vae: {error}'
        else:
            raise
        print(text.splitlines()[0], file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(status)
    jax.distributed.shutdown()


def is_first() -> bool:
    """Whether this host is the one that writes."""
    return jax.process_index() == 0


def barrier(name: str):
    """Returns when all hosts have come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def agree(what: str, value: str):
    """A UserError on all hosts unless `value` is the same on all."""
    count = jax.process_count()
    if count == 1:
        return
    digest = np.frombuffer(hashlib.sha256(value.encode()).digest(), np.uint8)
    found = multihost_utils.process_allgather(digest)
    differ = [str(host) for host in range(count) if (found[host] != found[0]).any()]
    if differ:
        raise UserError(
            f'{what} of host {", ".join(differ)} differ from those of host 0: give '
            'all hosts the same'
        )


def rows_of_host(batch: dict) -> dict:
    """This host's share of a batch that all hosts hold whole."""
    host, count = jax.process_index(), jax.process_count()
    return {name: np.split(rows, count)[host] for name, rows in batch.items()}


class Stop:
    """On many hosts: SIGTERM or Ctrl-C on any stops all after the same step.

    JAX's preemption service catches SIGTERM and finds the step.
    """

    asked: str | None = None

    def __enter__(self):
        self._old = signal.signal(
            signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM)
        )
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self._old)

    def after(self, step: int) -> bool:
        """Whether this step is the last one; every host asks after every step."""
        if multihost_utils.reached_preemption_sync_point(step):
            self.asked = 'SIGTERM'
        return self.asked is not None
