"""A package of the extra that is not installed is named, and no folder is left."""

import sys

import pytest

from gan_vae.export import __main__ as command
from gan_vae.runs import packed


@pytest.mark.parametrize(
    'to, package',
    [('safetensors', 'safetensors'), ('onnx', 'onnx'), ('browser', 'onnxruntime')],
)
def test_a_package_that_is_not_installed_is_named(
    to, package, tmp_path, monkeypatch, capsys
):
    modules = [name for name in sys.modules if name.startswith('gan_vae.export.f')]
    for name in (*modules, *(m for m in sys.modules if m.split('.')[0] == package)):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / 'out'
    words = ['--workdir=pretrained:emoji_vae', f'--out={out}', f'--to={to}']
    assert command.main(words) == 2
    told = capsys.readouterr().err
    # or another of the extra, which none of them may be
    assert f'--to={to}: ' in told or f'{packed.SAFE}: ' in told
    assert 'is not installed: ' in told and 'gan_vae[export]' in told
    assert told.count('\n') == 1 and not out.exists()
