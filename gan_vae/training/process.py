"""What is set once in a process: the compilation cache and the allocator."""

import ctypes
import sys

import jax

from gan_vae.data import cache

# mallopt(3): M_ARENA_MAX, M_MMAP_MAX, M_TRIM_THRESHOLD
_ARENA_MAX, _MMAP_MAX, _TRIM_THRESHOLD = -8, -4, -1


def prepare():
    """Keeps compiled programs on disk and freed memory at hand. Safe to call again.

    XLA:CPU allocates its buffers anew at each step; glibc would hand the large ones
    back to the kernel and fault them in again, page by page: a fifth of a DCGAN step.
    """
    folder = cache.root() / 'compiled'
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        jax.config.update('jax_compilation_cache_dir', str(folder))
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.5)
    except OSError:
        pass  # slower starts, nothing else
    if sys.platform == 'linux' and jax.default_backend() == 'cpu':
        mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)  # glibc has it
        if mallopt:
            mallopt(_ARENA_MAX, 1)
            mallopt(_MMAP_MAX, 0)
            mallopt(_TRIM_THRESHOLD, 2**31 - 1)
