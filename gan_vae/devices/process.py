"""What is set once in a process, before JAX starts: compilation cache and allocator."""

import ctypes
import functools
import sys

import jax

from gan_vae import cache

# mallopt(3): M_ARENA_MAX, M_MMAP_MAX, M_TRIM_THRESHOLD; madvise(2): MADV_HUGEPAGE
_ARENA_MAX, _MMAP_MAX, _TRIM_THRESHOLD, _HUGEPAGE = -8, -4, -1, 14
_HEAP = 2 << 30


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
