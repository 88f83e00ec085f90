"""One run on many hosts, from inside a host's process: joining, agreeing, stopping.

Collectives, the coordination service and the agreement on the step to stop at are
jax.distributed's. What a lost host looks like from outside is in supervisor.py.
"""

import os
import re
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import jax
from jax.experimental import multihost_utils

from gan_vae.errors import RunError, UserError
from gan_vae.interrupt import Watch
from gan_vae.training.supervisor import JOIN_SECONDS, LOST, Place

_STATUS = re.compile(
    '(UNKNOWN|INTERNAL|UNAVAILABLE|ABORTED|CANCELLED|DEADLINE_EXCEEDED|'
    'FAILED_PRECONDITION): '
)


@contextmanager
def joined(where: Place | None) -> Iterator[None]:
    """Inside, JAX sees the devices of all hosts; None changes nothing.

    A failure ends the process at once: JAX's own end would wait for the others.
    """
    if where is None:
        yield
        return
    try:
        if where.coordinator:
            reach(where, JOIN_SECONDS)
        # []: all devices. JAX would take one alone where Slurm numbers the tasks.
        address = where.coordinator or None
        jax.distributed.initialize(address, where.hosts, where.host, [])
        yield
    except BaseException as error:
        if _is_broken_off(error):
            status, text = LOST, f'lost: {error}'.splitlines()[0]
        elif isinstance(error, UserError):
            status, text = 1 if isinstance(error, RunError) else 2, f'gan_vae: {error}'
        else:
            status, text = 1, traceback.format_exc().rstrip()
        if text:
            print(text, file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(status)
    jax.distributed.shutdown()


def _is_broken_off(error: BaseException | None) -> bool:
    """Whether a collective failed: a JaxRuntimeError, but in a save a ValueError."""
    while error and not _STATUS.match(str(error)):
        error = error.__cause__
    return error is not None


def reach(where: Place, seconds: float):
    """A UserError or RunError unless host 0 can serve at the coordinator's address and
    the others reach it within `seconds`: JAX would abort there without a word of it."""
    name, _, port = where.coordinator.rpartition(':')
    address = name.strip('[]'), int(port)
    if where.host == 0:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        try:
            with socket.create_server(
                ('', address[1]), family=family, dualstack_ipv6=both
            ):
                socket.create_connection(address, timeout=10).close()
        except OSError as error:
            raise UserError(
                f'host 0 cannot serve at --coordinator={where.coordinator} '
                f'({_words(error)}): give all hosts an address and a free port of '
                'host 0'
            ) from error
        return
    until = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(address, timeout=10).close()
        except OSError as error:
            if time.monotonic() > until:
                raise RunError(
                    f'host {where.host} cannot reach --coordinator={where.coordinator} '
                    f'({_words(error)}): the port must be open between the hosts'
                ) from error
        time.sleep(0.2)


def _words(error: OSError) -> str:
    code = error.errno or 0  # those of name resolution are below 0
    return (os.strerror(code) if code > 0 else str(error)).lower()


class Stop(Watch):
    """On many hosts: a signal to any of them stops all after the same step.

    JAX's preemption service catches SIGTERM, and finds the step.
    """

    def request(self, name: str):
        os.kill(os.getpid(), signal.SIGTERM)

    def after(self, step: int) -> bool:
        """Whether this step is the last one; every host asks after every step."""
        if multihost_utils.reached_preemption_sync_point(step):
            self.asked = 'SIGTERM'
        return self.asked is not None
