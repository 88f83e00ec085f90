"""What is kept, what may go, and what was made: the bytes that the command makes."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_vae.art import __main__ as art
from gan_vae.art import making
from gan_vae.errors import UserError
from gan_vae.studio.album import Album, command
from tests.studio.conftest import png


def made(studio, tool, inputs=(), model='', **flags):
    asked = {'tool': tool, 'inputs': list(inputs), 'flags': flags, 'model': model}
    answer = studio.ask('POST', '/api/jobs', json=asked)
    assert answer.status_code == 202, answer.text
    job = studio.wait(answer.json()['id'])
    assert job.state == 'done', job.error
    results = studio.ask('GET', '/api/album').json()['results']
    return next(r for r in results if r['id'] == job.result['id'])


def emoji(studio):
    models = studio.ask('GET', '/api/models').json()
    return next(m['id'] for m in models if m['name'] == 'emoji_vae')


def test_what_the_page_makes_is_what_the_command_makes(studio, tmp_path, capsys):
    """Samples, a child of two, a filtered picture of the person's: the same bytes by
    the command that the page shows, and by `reproduce`."""
    model = emoji(studio)
    given = studio.ask('PUT', '/api/pictures', content=png(24, 16)).json()['id']
    sample = made(studio, 'sample', model=model, num=3, seed=5)
    parents = [p['id'] for p in sample['pictures'][:2]]
    child = made(studio, 'breed', parents, model, num=2, mutation=0.1)
    assert [i['id'] for i in child['inputs']] == parents
    larger = made(studio, 'edit', [given], zoom=3)
    assert larger['pictures'][0] | {'width': 72, 'height': 48} == larger['pictures'][0]
    assert larger['inputs'] == [{'id': given}]
    for number, result in enumerate((sample, child, larger)):
        folder, _, line = result['command'].rpartition(' && ')
        words = line.split()
        assert folder in ('', 'cd album') and words[:2] == ['gan_vae', 'art']
        out = tmp_path / f'again{number}'
        assert art.main([*words[2:], f'--out={out}']) == 0
        for picture in result['pictures']:
            mine = studio.studio.album.path(picture['id'])
            assert (out / mine.name).read_bytes() == mine.read_bytes()
            asked = {'tool': 'reproduce', 'file': picture['id']}
            job = studio.ask('POST', '/api/jobs', json=asked).json()['id']
            assert studio.wait(job).result == {'same': True, 'changed': ''}
            served = studio.ask('GET', f'/files/{picture["id"]}').content
            assert served == mine.read_bytes()
            plain = studio.ask('GET', f'/files/{picture["id"]}?plain=1').content
            assert b'gan_vae' in served and b'gan_vae' not in plain


def test_a_preview_is_what_is_kept_then(studio):
    model = emoji(studio)
    found = made(studio, 'directions', [7], model, num=2, method='pca')
    along = [found['pictures'][n]['id'] for n in (6, 13)]
    moves = [[along[0], 2.0], [along[1], -1.5]]
    asked = {'model': model, 'thing': '9', 'seed': 3, 'moves': moves}
    preview = studio.ask('POST', '/api/preview', json=asked)
    assert preview.headers['content-type'] == 'image/png'
    kept = made(studio, 'move', [9], model, along=along, strength='2,-1.5', seed=3)
    file = studio.studio.album.path(kept['pictures'][0]['id'])
    (studio.folder / 'preview.bin').write_bytes(preview.content)
    with Image.open(studio.folder / 'preview.bin') as shown, Image.open(file) as whole:
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(whole))
    for wrong in (
        {'model': 'x'},
        {'thing': '../x'},
        {'moves': [[along[0], 'x']]},
        {'moves': [[along[0], 1e9]]},
        {'moves': [[kept['pictures'][0]['id'], 1]] * 40},
        {'seed': 'x'},
    ):
        answer = studio.ask('POST', '/api/preview', json=asked | wrong)
        assert answer.status_code == 400 and answer.text.count('\n') == 1, wrong


def test_what_is_kept_stays_with_all_that_it_came_of(studio):
    album = studio.studio.album
    ids = [album.give(png(seed=n)) for n in range(3)]
    larger = made(studio, 'edit', [ids[0]], zoom=2)
    other = made(studio, 'edit', [ids[1]], zoom=2)
    picture = larger['pictures'][0]['id']
    assert studio.ask('PUT', f'/api/kept/{picture}').status_code == 204
    assert Album(album.folder, 10**9).kept() == [picture]  # after a kill, too
    later = made(studio, 'edit', [ids[1]], zoom=3)
    assert later['id'] not in (larger['id'], other['id'])
    for name in (larger['id'], ids[0]):
        answer = studio.ask('DELETE', f'/api/results/{name}')
        assert answer.status_code == 400 and 'kept' in answer.text
    assert studio.ask('DELETE', f'/api/results/{other["id"]}').status_code == 204
    assert studio.ask('DELETE', '/api/results').json() == {'removed': 3}
    left = {r['id'] for r in studio.ask('GET', '/api/album').json()['results']}
    assert left == {larger['id'], ids[0]}
    assert studio.ask('DELETE', f'/api/kept/{picture}').status_code == 204
    assert album.clear() == 2 and not list(album.folder.glob('*-*'))
    again = made(studio, 'edit', [album.give(png(seed=1))], zoom=2)
    assert again['id'] not in (larger['id'], other['id'], later['id'])  # nor its files


def test_a_mask_is_kept_with_what_it_made_and_all_is_made_again_elsewhere(
    studio, tmp_path, monkeypatch
):
    album = studio.studio.album
    pixels = np.zeros((16, 16), np.uint8)
    pixels[4:8, 4:8] = 255
    Image.fromarray(pixels).save(tmp_path / 'mask.png')
    mask = album.give((tmp_path / 'mask.png').read_bytes())
    photo = album.give(png(16, 16))
    filled = made(studio, 'inpaint', [photo], mask=mask, method='filter')
    assert {photo, mask} <= {*filled['uses']} and filled['command'].startswith('cd ')
    studio.ask('PUT', f'/api/kept/{filled["pictures"][0]["id"]}')
    assert album.clear() == 0
    asked = {'tool': 'reproduce', 'file': filled['pictures'][0]['id']}
    job = studio.ask('POST', '/api/jobs', json=asked).json()['id']
    assert studio.wait(job).result == {'same': True, 'changed': ''}
    moved = album.folder.rename(tmp_path / 'moved')
    monkeypatch.chdir(tmp_path)
    assert making.reproduce(str(next(moved.glob('inpaint-*/*.png')))).same


def test_an_index_needs_no_download_and_ranks_what_is_chosen(studio):
    """Taste works where only the extra `studio` is installed."""
    sample = made(studio, 'sample', model=emoji(studio), num=4)
    index = made(studio, 'index', [sample['id']])
    assert index['flags']['features'] == 'random'
    asked = {'index': index['index'], 'choices': [[0, 1], [2, 1]], 'writes': True}
    ranking = studio.ask('POST', '/api/ranking', json=asked).json()
    assert ranking['pictures'] == [p['id'] for p in sample['pictures']]
    assert ranking['scores'][1] == min(ranking['scores'])
    ranked = made(studio, 'rank', index=index['index'], pairs=ranking['pairs'])
    scores = {row['name']: row['score'] for row in ranked['found']['ranked']}
    for number, score in enumerate(ranking['scores']):
        assert abs(scores[f'0000{number}.png'] - score) < 1e-3
    for wrong in ([[0, 0]], [[0, 9]], [[0]], ['x'], [[0, True]]):
        answer = studio.ask('POST', '/api/ranking', json=asked | {'choices': wrong})
        assert answer.status_code == 400


def test_a_full_album_takes_no_more(studio):
    album = studio.studio.album
    name = album.give(png())
    album.quota = 100
    asked = {'tool': 'edit', 'inputs': [name], 'flags': {'zoom': 2}}
    for answer in (
        studio.ask('PUT', '/api/pictures', content=png(seed=1)),
        studio.ask('POST', '/api/jobs', json=asked),
    ):
        assert answer.status_code == 400 and 'remove what is not kept' in answer.text


def test_half_a_result_links_and_foreign_files_are_no_results(studio, tmp_path):
    album = studio.studio.album
    (tmp_path / 'secret.png').write_bytes(png())
    (album.folder / 'sample-1').mkdir()
    (album.folder / 'sample-1' / '00000.png').write_bytes(png())  # killed meanwhile
    (album.folder / 'sample-2.json').write_text('{"made": {')
    (album.folder / 'sample-3.json').write_text('[]')
    for number, made in enumerate(({}, [], {'tool': 'x'}, 'x' * 10), 4):
        text = json.dumps({'made': made, 'pictures': []})
        (album.folder / f'sample-{number}.json').write_text(text)
    (album.folder / 'sample-8.json').write_text('[' * 100_000)
    (album.folder / 'sample-9.json').write_bytes(b'\xff\xfe')
    (album.folder / os.fsdecode(b'given-caf\xe9.png')).write_bytes(png())
    os.symlink(tmp_path / 'secret.png', album.folder / 'given-0.png')
    (album.folder / 'kept.json').write_text('{')
    album.scan()
    given = [r['tool'] for r in album.listed()['results']]
    assert given == ['given'] and album.kept() == []
    assert studio.ask('GET', '/api/album').status_code == 200
    with pytest.raises(UserError, match='no such file'):
        album.path(album.id_of(album.folder / 'given-0.png'))
    again = Album(album.folder, 10**9)
    assert again.next('sample').name == 'sample-10'
    os.utime(album.folder / 'sample-1', (1, 1))
    again.clear()
    assert not (album.folder / 'sample-1').exists()  # what a kill left


def test_numbers_that_json_has_not_are_left_out(studio):
    album = studio.studio.album
    result = made(studio, 'edit', [album.give(png())], zoom=2)
    (record,) = album.folder.glob('edit-*.json')
    about = json.loads(record.read_text())
    about['found'] = {'psnr': float('inf'), 'all': [float('nan'), 1.0]}
    record.write_text(json.dumps(about))
    album.scan()
    results = studio.ask('GET', '/api/album').json()['results']
    found = next(r for r in results if r['id'] == result['id'])['found']
    assert found == {'psnr': None, 'all': [None, 1.0]}


def test_a_picture_that_is_given_many_times_at_once_is_one(studio):
    album = studio.studio.album
    with ThreadPoolExecutor(8) as pool:
        for seed in range(10):
            names = [*pool.map(lambda _, s=seed: album.give(png(seed=s)), range(8))]
            assert len({*names}) == 1 and album.path(names[0]).is_file()
    assert len(album.listed()['results']) == 10


def test_the_shown_command_is_one_word_for_each_value():
    words = ['gan_vae', 'art', 'sample', '--prompt=a "red" cat; rm -rf ~', '--pairs']
    result = {'words': words, 'uses': []}
    right = 'gan_vae art sample \'--prompt=a "red" cat; rm -rf ~\' --pairs'
    assert command(result, Path('/a b'), '') == right
    line = command(result | {'uses': ['x']}, Path('/a b'), 'runs/my run')
    assert line == f"cd '/a b' && {right} '--workdir=runs/my run'"


@pytest.mark.slow
def test_a_stopped_result_is_made_again_with_as_many_steps(studio, monkeypatch):
    given = studio.studio.album.give(png(32, 32))
    asked = {'tool': 'denoise', 'inputs': [given], 'flags': {'method': 'prior'}}
    number = studio.ask('POST', '/api/jobs', json=asked).json()['id']
    job = studio.studio.jobs.every[number]
    while job.at < 2 and job.state in ('waiting', 'running'):
        pass
    assert studio.ask('DELETE', f'/api/jobs/{number}').status_code == 204
    studio.wait(number)
    assert job.state == 'done' and 'stopped after' in ' '.join(job.result['lines'])
    (record,) = studio.folder.glob('denoise-*.json')
    steps = json.loads(record.read_text())['made']['stopped']
    assert 2 <= steps < 500
    again = making.reproduce(str(next(studio.folder.glob('denoise-*/*.png'))))
    assert again.same
