"""Every config traces its step as `:tiny`, and one of each method trains to the end."""

import contextlib
import json
import math
from pathlib import Path

import jax
import pytest

from gan_vae import config as config_lib
from gan_vae import data
from gan_vae.config import default, sections
from gan_vae.devices.mesh import put
from gan_vae.errors import UserError
from gan_vae.models import convolutions
from gan_vae.runs import folder, packed
from gan_vae.runs.program import build
from gan_vae.training import loop

FILES = sorted(
    f for f in Path('configs').glob('*.py') if f.stem not in ('default', '__init__')
)


def load(file: Path):
    return config_lib.load(f'{file}:tiny', {'parallel.devices': '1'})


def plainest(method: str) -> Path | None:
    """The config file of a method that sets the fewest keys, or None."""
    plain = config_lib.flatten(
        default.with_variant(default.get_config(method), 'tiny')
    ).items()
    configs = {file: load(file) for file in FILES}
    sizes = {
        file: len(config_lib.flatten(config).items() - plain)
        for file, config in configs.items()
        if config.method.name == method
    }
    return min(sizes, key=sizes.get, default=None)


@contextlib.contextmanager
def skipped_without_its_extra():
    """Skips the test where a network needs an extra that is not installed."""
    try:
        yield
    except UserError as error:
        if 'is not installed' in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.slow
@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_a_config_is_traced_and_reads_all_that_it_sets(file):
    reads = config_lib.Reads(load(file))
    examples = data.training(reads.data)
    with skipped_without_its_extra():
        program = build(reads, examples.spec)
        state = jax.eval_shape(program.method.init, jax.random.key(0))
    batch = put(loop.source_of(reads, program, examples).batch(0), program.mesh)
    with convolutions.plain():  # of the same shapes, and traced in half the time
        after, metrics = jax.eval_shape(program.train_step, state, batch)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(
        lambda x: (x.shape, x.dtype), state
    )
    assert {'loss_d', 'loss', 'loss_prior'} & metrics.keys()
    unread = [k for k in reads.unread_settings() if k.startswith(('method', 'model'))]
    assert unread == []


def trains(config, folder, capsys):
    summary = loop.train(config, folder)
    assert 'nothing reads it' not in capsys.readouterr().out
    assert summary['step'] == 4 and len(summary['state_sha256']) == 64
    for metric in summary['metrics'].values():
        assert math.isfinite(metric['value']) and config.data.name in metric['protocol']
    record = [json.loads(line) for line in open(folder / 'metrics.jsonl')]
    timed = [r['step'] for r in record if '_per_second' in ' '.join(r)]
    assert timed == [1, 2, 3, 4]
    for name in ('samples/0000004.png', 'samples.gif', 'data.png', 'parameters.txt'):
        assert (folder / name).stat().st_size > 100
    assert list(folder.glob('events.out.tfevents.*'))


# One of each way through the loop: two losses in turn, one loss, texts, and one that
# draws nothing. The others are traced by default, and trained with -m slow.
BY_DEFAULT = ('gan', 'vae', 'text_transformer', 'pix2pix')


@pytest.mark.parametrize(
    'method',
    [
        pytest.param(n, marks=() if n in BY_DEFAULT else pytest.mark.slow)
        for n in sections.methods()
    ],
)
def test_a_method_trains_by_its_plainest_config(
    method, config_of, small, tmp_path, capsys, compilations, monkeypatch
):
    file = plainest(method)
    config = load(file) if file else config_of(method)
    default.update(config, small(method))
    programs = [[], []]  # compiled until each drawing began, and ended

    def draw(run, state, draw_pictures=loop.draw_pictures):
        programs[0].append(compilations())
        draw_pictures(run, state)
        programs[1].append(compilations())

    monkeypatch.setitem(loop.EVENTS, 'pictures', draw)
    trains(config, tmp_path, capsys)
    first, *others = (after - before for before, after in zip(*programs, strict=True))
    assert first and others and max(others) <= 1  # or the memory of a run grows


@pytest.mark.slow
@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_every_config_trains(file, tmp_path, capsys):
    config = load(file)
    with skipped_without_its_extra():
        trains(config, tmp_path, capsys)


def test_every_key_of_all_methods_is_read_somewhere():
    """As `.key` of settings; those of a method: tests/methods/test_contract.py."""
    files = [f for f in Path('gan_vae').rglob('*.py') if f.name != 'settings.py']
    source = ''.join(f.read_text() for f in files)
    keys = [k for section in sections.SHARED for k in sections.keys(section, 'gan')]
    assert [k for k in keys if f'.{k}' not in source] == []


@pytest.mark.parametrize('name', ['emoji_gan', 'art_vae'])
def test_finetune_has_the_networks_of_the_model_that_it_begins_with(name):
    config = config_lib.load(f'configs/finetune.py:pretrained:{name}')
    source = folder.read_config(packed.find(f'pretrained:{name}'))
    assert config.name == f'finetune-pretrained-{name}'
    assert config.train.init_from == f'pretrained:{name}'
    assert config.model == source.model
    assert (config.data.image_size, config.data.name) == (
        source.data.image_size,
        'folder:pictures',
    )
    assert bool(config.method.get('ada')) == (name == 'emoji_gan')
    with pytest.raises(UserError, match='no run in nowhere'):
        config_lib.load('configs/finetune.py:nowhere')
