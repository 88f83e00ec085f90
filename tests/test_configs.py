"""Every config runs its whole path as `:tiny`, finite, with no setting left unread."""

import json
import math
from pathlib import Path

import pytest

from gan_vae import config as config_lib
from gan_vae.training import loop

CONFIGS = sorted(
    f for f in Path('configs').glob('*.py') if f.stem not in ('default', '__init__')
)
READ = set()


@pytest.mark.parametrize('file', CONFIGS, ids=lambda f: f.stem)
def test_tiny_variant_trains(file, tmp_path, capsys):
    config = config_lib.load(f'{file}:tiny', {'parallel.devices': '1'})
    summary = loop.train(config, tmp_path)
    assert 'nothing reads it' not in capsys.readouterr().out
    assert summary['step'] == 4 and len(summary['state_sha256']) == 64
    for metric in summary['metrics'].values():
        assert math.isfinite(metric['value']) and 'toy_shapes' in metric['protocol']
    record = [json.loads(line) for line in open(tmp_path / 'metrics.jsonl')]
    assert [r['step'] for r in record if 'perf/images_per_second' in r] == [1, 2, 3, 4]
    for name in ('samples/0000004.png', 'samples.gif', 'data.png', 'parameters.txt'):
        assert (tmp_path / name).stat().st_size > 100
    assert list(tmp_path.glob('events.out.tfevents.*'))


@pytest.mark.parametrize('file', CONFIGS, ids=lambda f: f.stem)
def test_every_setting_of_the_full_config_is_read(file):
    """Without training: what set-up reads is all that a run reads."""
    config = config_lib.load(str(file), {'parallel.devices': '1'})
    reads = config_lib.Reads(config)
    from gan_vae import data
    from gan_vae.data.source import Spec

    tiny = config_lib.load(f'{file}:tiny')
    data.examples(tiny.data, tiny.data.split)
    size = config.data.image_size
    loop.build(reads, Spec(size, size, config.data.channels))
    read_by_the_loop = {'data.name', 'data.split', 'data.eval_split', 'data.categories'}
    unread = [
        key
        for key in reads.unread_settings()
        if key not in read_by_the_loop and not key.startswith(('train.', 'eval.'))
    ]
    assert unread == []
    READ.update(reads.keys_read)


def test_every_default_key_is_read_by_some_config():
    if not READ:
        pytest.skip('runs after the other tests of this file')
    flat = config_lib.flatten(config_lib.load(str(CONFIGS[0])))
    by_the_loop = ('train.', 'eval.', 'data.', 'name')
    never = {k for k in flat if k not in READ and not k.startswith(by_the_loop)}
    assert never == set()
