"""Directions of a linear generator are those of linear algebra; one that was found is
gone along by others."""

import json

import numpy as np
import pytest
from PIL import Image

import gan_vae as gv
from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import directions, latents
from gan_vae.errors import UserError
from gan_vae.evaluation import factors
from gan_vae.methods import sampling

RNG = np.random.default_rng(0)


def test_of_a_linear_generator_they_are_singular_vectors():
    weights = RNG.standard_normal((6, 40)) * np.arange(6, 0, -1)[:, None]
    left, _, _ = np.linalg.svd(weights)
    wanted = directions.signed(left.T)
    np.testing.assert_allclose(directions.sefa(weights), wanted, atol=1e-10)
    # G(z) = z W of a white z: components regress to the same, as n grows
    z = RNG.standard_normal((4000, 6))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T
    found = directions.pca(z, 3 + z @ weights, 6)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert len(directions.pca(z, z[:, :2], 6)) == 2  # no more than there are


def test_a_planted_attribute_is_found():
    planted = directions.signed(RNG.standard_normal((1, 32)))
    z = RNG.standard_normal((3000, 32))
    found = directions.attribute(z + 2 * planted, z[::-1])
    np.testing.assert_allclose(found, planted, atol=1e-6)
    np.testing.assert_allclose(directions.attribute(z[::-1], z + planted), -planted)
    with pytest.raises(UserError, match='the same mean'):
        directions.attribute(z, z[::-1])


def test_directions_to_values_are_planted_ones_and_their_changes_counted():
    planted = directions.signed(RNG.standard_normal((2, 32)))
    z = RNG.standard_normal((6000, 32))
    found = np.where(z @ planted[0] > 0.5, 7, np.where(z @ planted[0] < -0.5, 4, 1))
    found[:5] = 9  # too rare
    towards = directions.to_values(z, found)
    assert sorted(towards) == [1, 4, 7] and list(towards)[0] == 1
    assert towards[7] @ planted[0] > 0.98 and towards[4] @ planted[0] < -0.98
    assert directions.to_values(z, np.ones(6000, int)) == {}
    before = np.array([[1, 0, 0], [1, 1, 0], [2, 1, 0], [2, 1, 0]])
    after = np.array([[2, 0, 0], [2, 0, 0], [2, 1, 1], [1, 1, 0]])
    found = directions.change(before, after, 0, 2)
    assert found == (0.5, 0.75, 2 / 8)


def test_the_first_layer_is_that_of_the_whole_latent(models, opened):
    for name, kernel in (
        ('dcgan_emoji', lambda e: e['generator']['params']['Dense_0']['kernel']),
        ('vae_emoji', lambda e: e['decoder']['Dense_0']['kernel']),
    ):
        run = opened(models[name])
        size = latents.size(run)
        found = directions.first_layer(run.weights.averaged, size)
        np.testing.assert_array_equal(found, kernel(run.weights.averaged))
        with pytest.raises(UserError, match='take --method=pca'):
            directions.first_layer(run.weights.averaged, 10_000)


def test_few_components_of_many_are_those_of_the_whole_decomposition():
    rng = np.random.default_rng(0)
    y = (rng.normal(size=(90, 30)) * np.geomspace(1, 0.1, 30)) @ rng.normal(
        size=(30, 200)
    )
    z = rng.normal(size=(90, 20))
    u, _, _ = np.linalg.svd(y - y.mean(0), full_matrices=False)
    wanted = directions.signed(u[:, :6].T @ (z - z.mean(0)))
    found = [directions.pca(z, y, 6) for _ in range(2)]
    np.testing.assert_allclose(found[0], wanted, atol=1e-9)
    np.testing.assert_array_equal(*found)  # no start by chance


@pytest.mark.slow
def test_a_direction_is_gone_along_by_others(models, opened, tmp_path, capsys):
    workdir = models['vae_emoji']
    run, flag = opened(workdir), f'--workdir={workdir}'
    words = ['directions', flag, '--method=sefa', '--num=2', '--seed=4']
    assert art.main([*words, f'--out={tmp_path / "d"}']) == 0
    assert len(list((tmp_path / 'd').iterdir())) == 2 * 7
    wanted = directions.sefa(
        directions.first_layer(run.weights.averaged, latents.size(run))
    )
    row = tmp_path / 'd' / '00009.png'  # the third of the second
    words = ['move', '5', str(tmp_path / 'd' / '00003.png'), f'--along={row}', flag]
    out = tmp_path / 'm'
    assert art.main([*words, '--strength=-2', '--seed=4', f'--out={out}']) == 0
    for number, start in ((0, 5), (1, 0)):  # in the middle of a row is sample 0
        z = sampling.latents(run.method, 4, start + 1)[start]
        about = images.read_provenance(out / f'0000{number}.png')
        found = latents.unpacked('', about['latent'], len(z))
        np.testing.assert_allclose(found, z - 2 * wanted[1], atol=1e-5)
    first, both = tmp_path / 'd' / '00000.png', tmp_path / 'both'
    words = ['move', '5', f'--along={row},{first}', flag, '--seed=4']
    assert art.main([*words, '--strength=-2,0.5', f'--out={both}']) == 0
    about = images.read_provenance(both / '00000.png')
    z = sampling.latents(run.method, 4, 6)[5] - 2 * wanted[1] + 0.5 * wanted[0]
    np.testing.assert_allclose(
        latents.unpacked('', about['latent'], len(z)), z, atol=1e-5
    )
    assert art.main([*words, '--strength=1,2,3']) == 2
    assert 'give one number, or 2 with commas' in capsys.readouterr().err
    for wrong in (row.with_suffix('.txt'), tmp_path / 'd.json', f'{row},'):
        assert art.main(['move', '5', f'--along={wrong}', flag]) == 2
        assert 'that directions made' in capsys.readouterr().err


def test_a_factor_is_changed_and_what_else_changes_is_counted(
    models, tmp_path, capsys, monkeypatch
):
    """With a classifier that takes a picture's brightness for its size."""

    def of(self, pictures):
        x = pictures.astype(float)
        red = x[..., 0].mean((1, 2)) > x[..., 2].mean((1, 2))
        return np.stack([x.mean((1, 2, 3)) > light, red], -1).astype(int)

    samples = gv.open(models['vae_emoji']).sample(256)
    light = np.median(samples.mean((1, 2, 3)))
    known = factors.Factors(
        ('size', 'hue'), (('small', 'large'), ('cold', 'warm')), (0.6, 0.9), {}
    )
    monkeypatch.setattr(factors, 'load', lambda *_: known)
    monkeypatch.setattr(factors.Factors, 'of', of)
    words = ['directions', '--method=factor', '--factor=size', '--strength=3']
    flag = f'--workdir={models["vae_emoji"]}'
    assert art.main([*words, flag, f'--out={tmp_path / "d"}']) == 0
    out = capsys.readouterr().out
    assert 'right in only 60%' in out and 'large: seen in' in out
    record = json.loads((tmp_path / 'd.json').read_text())
    found = record['found']
    assert found['factor'] == 'size' and {*found['values']} == {'small', 'large'}
    for value in found['values'].values():
        assert value['after'] > value['before'] + 0.2
    assert len([*(tmp_path / 'd').iterdir()]) == 2 * 7


def test_a_hidden_file_is_no_picture_of_an_attribute(models, tmp_path):
    flag = f'--workdir={models["vae_emoji"]}'
    for name in ('on', 'off'):
        words = ['sample', flag, '--num=2', f'--seed={len(name)}']
        assert art.main([*words, f'--out={tmp_path / name}']) == 0
        (tmp_path / name / '.DS_Store').write_text('of a Mac')
    words = ['directions', flag, '--method=attribute', f'--out={tmp_path / "d"}']
    assert art.main([*words, *(f'--{n}={tmp_path / n}' for n in ('on', 'off'))]) == 0


@pytest.mark.parametrize(
    'words, message',
    [
        ('directions --method=lda', "unknown --method 'lda'"),
        ('directions --method=tsne', "unknown --method 'tsne'; one of"),
        ('directions --method=attribute', 'takes --on and --off'),
        ('directions --on=a --off=b', 'takes --on and --off'),
        ('directions 1 2', 'one thing'),
        ('directions --factor=hat', '--method=factor takes --factor'),
        ('directions --method=factor', '--method=factor takes --factor'),
        ('directions --method=factor --factor=hat', "unknown factor 'hat'"),
        ('directions --strength=0', '--strength=0'),
        ('directions --method=attribute --on=a --off=b', 'a is no folder'),
        ('move 1', '--along='),
        ('move 1 --along=row.png --strength=inf', '--strength=inf: give one number'),
        ('breed 1', 'takes THING THING...'),
        ('breed 1 2 --how=magic', "unknown --how 'magic'"),
        ('breed 1 2 --mutation=2', '--mutation=2'),
    ],
)
def test_mistakes_are_one_line(place, models, refused, words, message):
    refused([*words.split(), f'--workdir={models["dcgan_emoji"]}'], message, place)


@pytest.fixture(scope='module')
def place(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp('place')
    words = ['directions', '--method=sefa', '--num=1', f'--out={folder / "d"}']
    assert art.main([*words, f'--workdir={models["dcgan_emoji"]}']) == 0
    (folder / 'd/00000.png').rename(folder / 'row.png')
    Image.new('RGB', (9, 9)).save(folder / 'foreign.png')
    return folder
