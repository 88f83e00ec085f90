"""What a process compiles with: cache, allocator, and options of the compiler."""

import ctypes
import functools
import os
import sys

import jax

from gan_vae import cache

# mallopt(3): M_ARENA_MAX, M_MMAP_MAX, M_TRIM_THRESHOLD; madvise(2): MADV_HUGEPAGE
_ARENA_MAX, _MMAP_MAX, _TRIM_THRESHOLD, _HUGEPAGE = -8, -4, -1, 14
_HEAP = 2 << 30
# What XLA:CPU compiles a train step with (docs/results/speed.md has the measurements).
# Its older emitters take half of the time over convolutions as products, whose steps
# are 1.0 to 1.6 times as fast, and twice the time over the updates of many arrays.
_OLDER = {'xla_cpu_use_fusion_emitters': False, 'xla_backend_optimization_level': 2}
_NEWER = {'xla_backend_optimization_level': 1}
_MANY = 1000  # arrays in the state
_ONCE = {'xla_cpu_use_fusion_emitters': False, 'xla_backend_optimization_level': 0}


def of_steps(arrays: int) -> dict:
    """The compiler's options for a step over a state of so many arrays."""
    return _options(_OLDER if arrays < _MANY else _NEWER)


def of_init() -> dict:
    """Those of what runs once, and is not worth the compiler's effort."""
    return _options(_ONCE)


def _options(wanted: dict) -> dict:
    """What of it XLA_FLAGS does not decide, on a CPU."""
    if jax.default_backend() != 'cpu':
        return {}
    given = os.environ.get('XLA_FLAGS', '')
    return {name: value for name, value in wanted.items() if name not in given}


def prepare():
    """Keeps compiled programs on disk and freed memory at hand. Safe to call again."""
    folder = cache.root() / 'compiled'
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        jax.config.update('jax_compilation_cache_dir', str(folder))
        # also the hundreds of small programs, each of which costs more than its reading
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0)
    except OSError:
        pass  # slower starts, nothing else
    _keep_memory()


@functools.cache
def _keep_memory():
    """One heap of huge pages that glibc never hands back to the kernel.

    XLA:CPU allocates its buffers, 100 MB and more, anew at each step. By default they
    are unmapped and faulted in again, page by page, and small pages miss the TLB: a
    third of a DCGAN step. The heap takes up addresses, not memory, until it is used.
    """
    libc = ctypes.CDLL(None) if sys.platform == 'linux' else None
    if not hasattr(libc, 'mallopt'):  # another C library
        return
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = (ctypes.c_size_t,)
    libc.free.argtypes = (ctypes.c_void_p,)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    libc.mallopt(_ARENA_MAX, 1)
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, -1)  # never
    heap = libc.malloc(_HEAP)
    if not heap:  # a limit on addresses
        return
    libc.free(heap)
    page = 2 << 20
    start = -(-heap // page) * page
    libc.madvise(start, _HEAP - page, _HUGEPAGE)  # refused where there are none
