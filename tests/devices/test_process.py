"""With which options steps are compiled."""

import jax
import pytest

from gan_vae.devices import process

FEW, MANY = 100, 2000


@pytest.fixture
def no_flags(monkeypatch):
    jax.devices()  # there are as many as the flags of the session say
    monkeypatch.delenv('XLA_FLAGS')


def test_steps_over_few_arrays_are_of_the_older_emitters(no_flags):
    assert process.of_steps(FEW)['xla_cpu_use_fusion_emitters'] is False
    assert 'xla_cpu_use_fusion_emitters' not in process.of_steps(MANY)
    x = jax.numpy.ones(3)
    for options in (process.of_steps(FEW), process.of_steps(MANY), process.of_init()):
        twice = jax.jit(lambda x: 2 * x, compiler_options=options)
        assert (twice(x) == 2).all()


def test_what_xla_flags_say_holds(monkeypatch):
    monkeypatch.setenv('XLA_FLAGS', '--xla_backend_optimization_level=3')
    assert process.of_steps(FEW) == {'xla_cpu_use_fusion_emitters': False}
    assert process.of_steps(MANY) == {}


def test_elsewhere_than_on_a_cpu_there_are_none(no_flags, monkeypatch):
    monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
    assert process.of_steps(FEW) == process.of_init() == {}
