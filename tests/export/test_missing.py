"""A package of the extra that is not installed is named, and no folder is left."""

import subprocess
import sys

import pytest

CODE = """
import sys
sys.modules[{package!r}] = None  # as where it is not installed
from gan_vae.export import __main__ as command
sys.exit(command.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    'to, package',
    [('safetensors', 'safetensors'), ('onnx', 'onnx'), ('browser', 'onnxruntime')],
)
def test_a_package_that_is_not_installed_is_named(to, package, tmp_path):
    out = tmp_path / 'out'
    words = ['--workdir=pretrained:emoji_vae', f'--out={out}', f'--to={to}']
    code = CODE.format(package=package)
    command = [sys.executable, '-c', code, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    told = done.stderr
    assert done.returncode == 2 and told.count('\n') == 1 and not out.exists(), told
    # or another of the extra, which none of them may be
    assert 'is not installed: ' in told and 'gan_vae[export]' in told
