"""What is exported is read by programs without this package, and gives its pictures."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip('safetensors', reason='the extra export')
pytest.importorskip('onnxruntime', reason='the extra export')

from gan_vae import api
from gan_vae.export import __main__ as command
from gan_vae.learning.state import named_leaves
from gan_vae.methods import sampling
from gan_vae.runs import importing, opened, packed

FAMILIES = 'emoji_gan', 'emoji_vae', 'art_vae'
ALONE = {
    'onnx': """
import onnxruntime
session = onnxruntime.InferenceSession('decoder.onnx')
names = [one.name for one in session.get_inputs()]
(made,) = session.run(None, dict(zip(names, given)))
""",
    'jax': """
import jax
made = jax.export.deserialize(open('decoder.jax', 'rb').read()).call(*given)
""",
}


def exported(name, to, folder):
    words = [f'--workdir=pretrained:{name}', f'--out={folder}', f'--to={to}']
    assert command.main(words) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize('to', ALONE)
@pytest.mark.parametrize('name', FAMILIES)
def test_a_decoder_draws_the_models_pictures_in_a_process_without_us(
    name, to, tmp_path
):
    exported(name, to, tmp_path / 'out')
    model = opened.load(f'pretrained:{name}')
    z = np.random.default_rng(1).normal(size=(5, model.method.latents.size))
    given = [z.astype(np.float32)]
    if model.method.classes:
        given.append(np.arange(5, dtype=np.int32) % model.method.classes)
    np.savez(tmp_path / 'given.npz', *given)
    code = (
        'import sys\nimport numpy as np\n'
        "given = [*np.load('../given.npz').values()]\n" + ALONE[to] + '\n'
        "assert not any(m.startswith(('gan_vae', 'flax')) for m in sys.modules)\n"
        "np.save('../made.npy', np.asarray(made))\n"
    )
    words = [sys.executable, '-I', '-c', code]
    subprocess.run(words, cwd=tmp_path / 'out', check=True)
    settled = model.method.settle(model.weights)
    label = given[1] if len(given) > 1 else None
    wanted = sampling.decode_batch(
        model.method.latents.decode, settled, given[0], label
    )
    np.testing.assert_allclose(np.load(tmp_path / 'made.npy'), wanted, atol=1e-5)
    text = (tmp_path / 'out/README.md').read_text()
    assert text.startswith('---\n') and model.record['state_sha256'] in text


def test_safetensors_are_the_arrays_and_a_model_here(tmp_path, capsys):
    from safetensors.numpy import load_file, save_file

    folder = exported('emoji_vae', 'safetensors', tmp_path / 'out')
    file = folder / packed.SAFE
    model = opened.load('pretrained:emoji_vae')
    assert opened.load(folder).record['state_sha256'] == model.record['state_sha256']
    mine, again = (api.open(p).sample(5) for p in ('pretrained:emoji_vae', folder))
    np.testing.assert_array_equal(mine, again)
    assert '5 samples' not in capsys.readouterr().out
    arrays = load_file(file)
    name = next(iter(arrays))
    for wrong in (
        {k: v for k, v in arrays.items() if k != name},
        arrays | {name: arrays[name][..., :1]},
        arrays | {'more': arrays[name]},
    ):
        save_file(wrong, file)
        with pytest.raises(api.UserError, match='cannot be used'):
            opened.load(folder)
    for raw in (b'', b'\xff' * 100, file.read_bytes()[:200]):
        file.write_bytes(raw)
        with pytest.raises(api.UserError, match='cannot be used'):
            opened.load(folder)


@pytest.mark.parametrize(
    'name', ['emoji_gan', pytest.param('prompt_art', marks=pytest.mark.slow)]
)
def test_an_import_is_the_model_that_was_exported(name, tmp_path, capsys):
    """Bit for bit, with its classes and words; one changed number is told."""
    from safetensors.numpy import load_file, save_file

    folder = exported(name, 'safetensors', tmp_path / 'out')
    assert importing.main([f'--folder={folder}', f'--out={tmp_path / "back"}']) == 0
    assert 'was changed' not in capsys.readouterr().out
    model, again = (opened.load(p) for p in (f'pretrained:{name}', tmp_path / 'back'))
    assert again.method is model.method  # of the same config, classes and words
    leaves = (named_leaves(m.weights.averaged) for m in (model, again))
    for one, other in zip(*(sorted(tree.items()) for tree in leaves), strict=True):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])
    assert again.record == model.record
    arrays = load_file(folder / packed.SAFE)
    next(iter(arrays.values())).flat[0] += 1
    save_file(arrays, folder / packed.SAFE)
    assert importing.main([f'--folder={folder}', f'--out={tmp_path / "new"}']) == 0
    assert f'{folder} was changed since it was exported' in capsys.readouterr().out
    assert importing.main([f'--folder={tmp_path}', f'--out={tmp_path / "x"}']) == 2
    assert 'has no model.safetensors' in capsys.readouterr().err


@pytest.mark.parametrize(
    'words, message',
    [
        ([], '--workdir is missing'),
        (['--workdir=pretrained:emoji_gan'], '--out is missing'),
        (
            ['--workdir=pretrained:emoji_gan', '--out={}/o', '--to=torch'],
            "--to 'torch'",
        ),
        (['--workdir=pretrained:prompt_art', '--out={}/o', '--to=onnx'], 'no decoder'),
        (['--workdir=pretrained:restore', '--out={}/o', '--to=jax'], 'no decoder'),
        (['--workdir=nowhere', '--out={}/o'], 'no run in nowhere'),
        (['--workdir=pretrained:emoji_gan', '--out={}'], 'is not empty'),
    ],
)
def test_mistakes_are_one_line(words, message, tmp_path, capsys):
    (tmp_path / 'there').write_text('')
    assert command.main([word.format(tmp_path) for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1
    assert [p.name for p in tmp_path.iterdir()] == ['there']
