"""Reaching the coordinator, before JAX tries it and aborts."""

import socket

import pytest

from gan_vae.errors import RunError, UserError
from gan_vae.training.hosts import reach
from gan_vae.training.supervisor import Place


@pytest.fixture
def server():
    with socket.create_server(('127.0.0.1', 0)) as listening:
        yield listening.getsockname()[1]


def test_host_0_serves_at_a_free_port_of_its_own(server):
    with socket.create_server(('127.0.0.1', 0)) as unused:
        free = unused.getsockname()[1]
    reach(Place(0, 2, f'127.0.0.1:{free}'), 0)
    with pytest.raises(UserError, match='host 0 cannot serve .* in use'):
        reach(Place(0, 2, f'127.0.0.1:{server}'), 0)


def test_the_others_reach_it_or_are_named(server):
    reach(Place(1, 2, f'127.0.0.1:{server}'), 0)
    with socket.create_server(('127.0.0.1', 0)) as unused:
        free = unused.getsockname()[1]
    with pytest.raises(RunError, match='host 1 cannot reach .*refused'):
        reach(Place(1, 2, f'127.0.0.1:{free}'), 0.3)
