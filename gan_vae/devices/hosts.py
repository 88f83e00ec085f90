"""What the hosts of one run do together: agree, wait, and take their rows."""

import hashlib

import jax
import numpy as np
from jax.experimental import multihost_utils

from gan_vae.errors import UserError


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
    digests = multihost_utils.process_allgather(digest)
    differ = [str(host) for host in range(count) if (digests[host] != digests[0]).any()]
    if differ:
        raise UserError(
            f'{what} of host {", ".join(differ)} differ from those of host 0: give '
            'all hosts the same'
        )


def rows_of_host(batch: dict) -> dict:
    """This host's share of a batch of which all hosts have all rows."""
    host, count = jax.process_index(), jax.process_count()
    return {name: np.split(rows, count)[host] for name, rows in batch.items()}
