"""Four forced CPU devices for every test, and caches that end with the session."""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

# Before jax is imported: tests of parallelism use meshes of 1, 2 and 4 of these. Most
# of the suite's time is compilation, of programs that run for milliseconds: a step of
# a GAN compiles in 9 s by default, in 5 s unoptimised, and in 2 s by the old emitters.
os.environ['XLA_FLAGS'] = ' '.join(
    (
        '--xla_force_host_platform_device_count=4',
        '--xla_backend_optimization_level=0',
        '--xla_cpu_use_fusion_emitters=false',
        '--xla_cpu_parallel_codegen_split_count=1',
    )
)
os.environ['JAX_PLATFORMS'] = 'cpu'
if 'GAN_VAE_CACHE' not in os.environ:  # else this is a worker of that which made it
    os.environ['GAN_VAE_CACHE'] = tempfile.mkdtemp(prefix='gan_vae_test_')
    atexit.register(shutil.rmtree, os.environ['GAN_VAE_CACHE'], ignore_errors=True)

import jax  # noqa: E402
import pytest  # noqa: E402

from configs import default  # noqa: E402
from gan_vae.config import sections
from gan_vae.devices import process

process.prepare()
# Tracing makes many small objects beside the million of the libraries.
gc.freeze()
gc.set_threshold(100_000, 50, 100)


_compiled = [0]
jax.monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **more: _compiled.__setitem__(
        0, _compiled[0] + name.endswith('/backend_compile_duration')
    )
)


@pytest.fixture(scope='session')
def compilations():
    """compilations() -> how many programs this process has compiled so far."""
    return lambda: _compiled[0]


MORE = 4e9  # bytes that a process may hold more, until it drops what it has compiled
_held = [0.0]  # after the last time


def held() -> float:
    """Bytes that this process holds; 0 where nobody says."""
    status = Path('/proc/self/statm')
    pages = int(status.read_text('utf-8').split()[1]) if status.exists() else 0
    return pages * os.sysconf('SC_PAGE_SIZE') if pages else 0.0


@pytest.fixture(autouse=True, scope='module')
def programs_of_a_module():
    """Its programs; those of hundreds of modules are more than a machine holds."""
    yield
    if held() > _held[0] + MORE:
        jax.clear_caches()
        gc.collect()
        _held[0] = held()


@pytest.fixture
def config_of():
    """config_of('vae'): the tiny config of a method, on one device, unlocked."""

    def make(method: str):
        config = default.with_variant(default.get_config(method), 'tiny')
        config.parallel.devices = 1
        return config.unlock()

    return make


@pytest.fixture
def config(config_of):
    """The tiny config of the method `gan`."""
    return config_of('gan')


# The least that is a picture, a style and a hierarchy: what is compiled at each of its
# sizes, or is slow at any.
SMALL = {
    'fast_style': {
        'data.image_size': 16,
        'model.width': 4,
        'method.style': 'gan_vae/data/emoji/emoji.png',
        'method.style_size': 32,
    },
    **dict.fromkeys(
        ('cut', 'cyclegan'),
        {
            'data.name': 'toy_pairs',
            'data.image_size': 16,
            'model.width': 2,
            'model.blocks': 2,
            'model.discriminator_width': 2,
        },
    ),
    'pix2pix': {
        'data.name': 'toy_pairs',
        'data.image_size': 16,
        'model.width': 4,
        'model.discriminator_width': 4,
    },
    'distill': {'data.image_size': 16, 'model.width': 4},
    'restore': {'data.image_size': 16, 'model.width': 4},
    'restore_gan': {
        'data.image_size': 16,
        'model.width': 4,
        'model.discriminator_width': 4,
    },
    'vqgan': {
        'data.image_size': 16,
        'model.discriminator_width': 4,
        'model.code_width': 8,
    },
    'stacked_vae': {'model.stochastic_layers': '8x4,6x2'},
    'hierarchical_vae': {
        'model.encoder_blocks': '8d8,1x1',
        'model.decoder_blocks': '1x1,8m1',
    },
}


@pytest.fixture(scope='session')
def small():
    """small('vae'): {'section.key': value} that make a tiny config quick to compile."""

    def overrides(method):
        of_images = sections.method(method).KIND == 'images'
        return ({'data.image_size': 8} if of_images else {}) | SMALL.get(method, {})

    return overrides


@pytest.fixture(scope='session')
def tfds_dir():
    """The folder of prepared TFDS data, or a skip that says what to set."""
    folder = os.environ.get('TFDS_DATA_DIR')
    if not folder:
        pytest.skip('set TFDS_DATA_DIR to a folder with prepared cifar10 and mnist')
    return folder
