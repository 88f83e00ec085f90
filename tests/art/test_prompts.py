"""Pictures by words and by class, and pictures that go on: the commands of a user."""

import contextlib
import io
import json

import numpy as np
import pytest
from PIL import Image

import gan_vae as gv
from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import filters
from gan_vae.data.texts import Text
from gan_vae.errors import UserError
from gan_vae.methods import prompting, sampling
from gan_vae.methods.contract import Law

WORDS = 'a', 'red', 'cat', 'hat', 'with'
TEXT = Text('words', WORDS, 4, ('a red cat', 'a cat with a hat'))
SIZE = {
    'data.image_size': 16,
    'data.text': 'words',
    'model.halvings': 1,
    'method.levels': '3,3',
}


@pytest.fixture(scope='module')
def models(tmp_path_factory, make_model):
    """Folders of priors that have learned nothing: by words, by masks and words, and
    by class."""
    folder = tmp_path_factory.mktemp('priors')
    by_class = SIZE | {'method.condition': 'class', 'data.text': 'none'}
    masked = SIZE | {'method.name': 'masked_transformer'}
    others = tmp_path_factory.mktemp('masked')
    made = {
        'prompt': make_model(folder, 'prompt_art', text=TEXT, **SIZE),
        'masked_prompt': make_model(others, 'prompt_art', text=TEXT, **masked),
    }
    more = tmp_path_factory.mktemp('by_class')
    made['class'] = make_model(more, 'prompt_art', classes=('x', 'y'), **by_class)
    small = {'data.image_size': 16, 'model.width': 4, 'model.latent_dim': 8}
    gans = tmp_path_factory.mktemp('gan')
    made['gan'] = make_model(gans, 'df_gan_art', text=TEXT, **small)
    for place in made.values():
        weights, random = dict(np.load(place / 'weights.npz')), np.random.default_rng(0)
        for name, leaf in weights.items():  # so large that words change what is drawn
            if name.startswith(('prior/', 'generator/')):
                weights[name] = random.normal(size=leaf.shape).astype(np.float32)
        np.savez(place / 'weights.npz', **weights)
    return made


def run(models, tmp_path, *words, model='prompt', out='out'):
    return art.main([*words, f'--workdir={models[model]}', f'--out={tmp_path / out}'])


def read(folder):
    return np.stack([np.asarray(Image.open(f)) for f in sorted(folder.glob('*.png'))])


@pytest.mark.slow
def test_words_make_pictures_that_say_so(models, tmp_path, capsys):
    words = 'sample', '--prompt=A red Dog with a hat', '--num=3', '--guidance=3'
    assert run(models, tmp_path, *words) == 0
    out = capsys.readouterr().out
    assert "leaves out: 'dog'; it was trained on captions such as 'a red cat'" in out
    assert 'has 5 words, and this model takes the first 4' in out
    about = images.read_provenance(tmp_path / 'out/00001.png')
    assert about['flags'] == {'prompt': words[1][9:], 'num': 3, 'guidance': 3.0}
    assert about['prompt'] == 'a red with a'
    assert (tmp_path / 'out.png').exists()
    # fewer of them are the same ones, and Python draws them too
    model = gv.open(models['prompt'])
    drawn = model.sample(2, prompt='a red with a', guidance=3)
    np.testing.assert_array_equal(drawn, read(tmp_path / 'out')[:2])
    others = model.sample(2, prompt=['a red with a', 'a cat'], guidance=3)
    np.testing.assert_array_equal(others[0], drawn[0])
    assert (others[1] != model.sample(2, prompt='a red with a', guidance=3)[1]).any()


@pytest.mark.slow
def test_a_file_is_made_again_bit_for_bit(models, tmp_path, capsys):
    assert run(models, tmp_path, 'sample', '--num=2', '--top_k=3', '--seed=5') == 0
    prompts = {
        images.read_provenance(tmp_path / f'out/0000{n}.png')['prompt'] for n in (0, 1)
    }
    assert prompts <= set(TEXT.captions) | {'a cat with a'}
    file = tmp_path / 'out/00001.png'
    words = ['reproduce', str(file), f'--out={tmp_path / "again"}']
    assert art.main([*words, f'--workdir={models["prompt"]}']) == 0
    assert 'bit for bit' in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize('model', ['prompt', 'class', 'gan'])
def test_all_commands_draw_the_same_samples(models, model):
    """What is measured, what is sampled, and what a file holds."""
    opened = gv.open(models[model])
    measured = sampling.draw(opened._method, opened._weights, 3, 5)
    np.testing.assert_array_equal(opened.sample(5, seed=3), measured)


@pytest.mark.slow
def test_a_class_is_the_word_of_a_model_of_classes(models, tmp_path):
    words = 'sample', '--class=y', '--num=2', '--guidance=2'
    assert run(models, tmp_path, *words, model='class') == 0
    model = gv.open(models['class'])
    drawn = model.sample(2, classes='y', guidance=2)
    np.testing.assert_array_equal(drawn, read(tmp_path / 'out'))
    assert (drawn != model.sample(2, classes='x', guidance=2)).any()


@pytest.mark.slow
def test_latents_and_words_are_both_of_a_gan(models, tmp_path, capsys):
    words = 'sample', '--prompt=a red cat', '--num=3'
    assert run(models, tmp_path, *words, model='gan') == 0
    model = gv.open(models['gan'])
    drawn = model.sample(3, prompt='a red cat')
    np.testing.assert_array_equal(drawn, read(tmp_path / 'out'))
    assert (drawn != model.sample(3, prompt='a red hat')).any((1, 2, 3)).all()
    assert (drawn[0] != drawn[1]).any()
    # children of two of them: with their words, or with others
    parents = [str(tmp_path / f'out/0000{n}.png') for n in (0, 1)]
    breed = 'breed', *parents, '--num=2'
    assert run(models, tmp_path, *breed, model='gan', out='own') == 0
    assert run(models, tmp_path, *breed, '--prompt=a hat', model='gan', out='hat') == 0
    kept, changed = (tmp_path / name / '00001.png' for name in ('own', 'hat'))
    about = [images.read_provenance(file) for file in (kept, changed)]
    assert about[0]['latent'] == about[1]['latent']
    assert [a['prompt'] for a in about] == ['a red cat', 'a hat']
    assert (read(tmp_path / 'own') != read(tmp_path / 'hat')).any()
    # a sample by its number has the words that it is drawn by
    assert run(models, tmp_path, 'sample', '--num=2', model='gan', out='two') == 0
    same = 'interpolate', '1', '1', '--num=2'
    assert run(models, tmp_path, *same, model='gan', out='same') == 0
    np.testing.assert_array_equal(read(tmp_path / 'two')[1], read(tmp_path / 'same')[0])
    file = str(changed)
    again = (
        'reproduce',
        file,
        f'--inputs={tmp_path / "out"}',
        f'--out={tmp_path / "again"}',
    )
    assert art.main([*again, f'--workdir={models["gan"]}']) == 0
    assert 'bit for bit' in capsys.readouterr().out
    project = 'project', file, '--prompt=a hat', '--steps=2', '--restarts=2'
    assert run(models, tmp_path, *project, model='gan', out='found') == 0
    found = images.read_provenance(tmp_path / 'found/00000.png')
    assert found['prompt'] == 'a hat'


@pytest.mark.slow
@pytest.mark.parametrize('model', ['prompt', 'masked_prompt'])
def test_the_upper_part_of_a_picture_stays(models, tmp_path, model, capsys):
    """In codes: the pictures there differ a little, as a decoder sees around."""
    given = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    images.save_png(tmp_path / 'given.png', given)
    file = str(tmp_path / 'given.png')
    words = 'complete', file, '--num=2', '--keep=0.25', '--prompt=a cat'
    assert run(models, tmp_path, *words, model=model) == 0
    assert '16 of 64 codes stay' in capsys.readouterr().out
    opened = gv.open(models[model])
    codes = opened.tokenise(given[None])
    stays = np.zeros((8, 8), bool)
    stays[:2] = True
    row, _ = prompting.numbers(opened._method.captions.text, 'a cat')
    law, given_codes = Law(temperature=1.0), (codes[0], stays)
    drawn = prompting.draw(opened._method, opened._weights, 0, 2, row, law, given_codes)
    np.testing.assert_array_equal(drawn, read(tmp_path / 'out'))
    # a box in the middle: of what sees all codes alone
    words = 'complete', file, '--box=4,4,6,6'
    status = run(models, tmp_path, *words, model=model, out='box')
    assert status == (0 if model == 'masked_prompt' else 2)
    if status:
        assert 'a masked_transformer takes any' in capsys.readouterr().err
        words = 'complete', file, '--box=0,8,16,8', '--num=1'
        assert run(models, tmp_path, *words, model=model, out='below') == 0
        found = json.loads((tmp_path / 'below.json').read_text())
        assert found['made']['flags'] == {'box': '0,8,16,8', 'num': 1}


@pytest.mark.slow
def test_a_hole_is_filled_by_words(models, tmp_path, capsys):
    """What is seen stays; what was hidden has no part in it."""
    given = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    hole = np.zeros((16, 16), bool)
    hole[4:10, 6:12] = True
    for name, hidden in (('one', 0), ('other', 255)):
        picture = np.where(hole[..., None], hidden, given).astype(np.uint8)
        images.save_png(tmp_path / f'given-{name}.png', picture)
        words = (
            'inpaint',
            str(tmp_path / f'given-{name}.png'),
            '--box=6,4,6,6',
            '--num=2',
        )
        assert run(models, tmp_path, *words, model='masked_prompt', out=name) == 0
    one, other = (read(tmp_path / name) for name in ('one', 'other'))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[:, ~hole], given[None, ~hole].repeat(2, 0))
    assert (one[0, hole] != one[1, hole]).any()
    words = 'inpaint', str(tmp_path / 'given-one.png'), '--prompt=a hat', '--num=2'
    words = *words, '--box=6,4,6,6'
    assert run(models, tmp_path, *words, model='masked_prompt', out='hat') == 0
    opened = gv.open(models['masked_prompt'])  # the same codes, by the same words
    row, _ = prompting.numbers(opened._method.captions.text, 'a hat')
    plate, _ = filters.plate(images.from_uint8(given) * ~hole[..., None], hole)
    known = np.asarray(opened._method.codes.encode(opened._weights, plate[None]))[0]
    stays = ~hole.reshape(8, 2, 8, 2).any((1, 3))
    drawn = prompting.draw(
        opened._method, opened._weights, 0, 2, row, given=(known, stays)
    )
    np.testing.assert_array_equal(read(tmp_path / 'hat')[:, hole], drawn[:, hole])
    assert run(models, tmp_path, *words, out='up') == 2
    assert 'masked_transformer takes any hole' in capsys.readouterr().err
    again = 'reproduce', str(tmp_path / 'hat/00001.png')
    assert run(models, tmp_path, *again, model='masked_prompt', out='again') == 0


@pytest.mark.slow
def test_other_words_change_what_they_make_unlikely_alone(models, tmp_path, capsys):
    opened = gv.open(models['prompt'])
    method, weights = opened._method, opened._weights
    picture = opened.sample(1, prompt='a red cat', seed=4)[0]
    images.save_png(tmp_path / 'cat.png', picture)
    words = 'reword', str(tmp_path / 'cat.png'), '--was=a red cat', '--to=a red hat'
    assert run(models, tmp_path, *words, '--num=2', '--nats=0.5') == 0
    assert 'of the codes changed, of 64' in capsys.readouterr().out
    codes = opened.tokenise(picture[None])
    rows = [
        prompting.numbers(method.captions.text, text)[0][None]
        for text in ('a red cat', 'a red hat')
    ]
    floors = prompting.floors(method, weights, codes, rows[0], 0.5)
    score = np.asarray(method.code_prior.score(weights, codes, rows[0]))
    assert score.shape == (1, 8, 8) and (score < 0).all()
    np.testing.assert_allclose(floors, score - 0.5, rtol=1e-5)

    def drawn(row, nats):
        given_codes = codes[0], floors[0] + np.float32(0.5 - nats)
        return prompting.draw(method, weights, 0, 2, row[0], Law(), given_codes)

    np.testing.assert_array_equal(drawn(rows[1], 0.5), read(tmp_path / 'out'))
    # unless said, it was as the picture says of itself
    images.save_png(tmp_path / 'told.png', picture, {'prompt': 'a red cat'})
    words = 'reword', str(tmp_path / 'told.png'), '--to=a red hat', '--nats=0.5'
    assert run(models, tmp_path, *words, '--num=2', out='same') == 0
    assert "it shows, as it says itself: 'a red cat'" in capsys.readouterr().out
    np.testing.assert_array_equal(read(tmp_path / 'same'), read(tmp_path / 'out'))
    # by its own words all stays, and by others all where everything is likely enough
    same = np.repeat(opened.detokenise(codes), 2, 0)
    np.testing.assert_array_equal(drawn(rows[0], 0.01), same)
    np.testing.assert_array_equal(drawn(rows[1], 1e6), same)
    assert (drawn(rows[1], 0.5) != same).any()
    words = *words[:2], '--to=a cat'
    assert run(models, tmp_path, *words, model='masked_prompt', out='masks') == 2
    assert 'a likelihood of each code' in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    'model, words, message',
    [
        ('prompt', ['sample', '--prompt=Dragon'], 'knows none of these words; it was'),
        ('prompt', ['sample', '--prompt=a zebra'], 'knows none of these words; it was'),
        ('class', ['sample', '--prompt=a'], 'needs captions that it learned from'),
        ('prompt', ['sample', '--class=a'], 'this model has no classes'),
        ('class', ['sample', '--class=y', '--prompt=a'], 'take one'),
        ('gan', ['sample', '--guidance=2'], 'needs a prior over codes'),
        ('gan', ['sample', '--class=a'], 'this model has no classes'),
        ('gan', ['breed', '0', '1', '--prompt=zebra'], 'knows none of these words'),
        ('prompt', ['sample', '--pairs'], 'has no latents'),
        ('prompt', ['sample', '--guidance=-1'], 'must be from 0 to 100'),
        ('prompt', ['sample', '--top_p=1.5'], 'must be from 0 to 1'),
        ('prompt', ['complete', 'GIVEN', '--keep=1'], 'nothing is left to draw'),
        ('prompt', ['complete', 'GIVEN', '--box=9,9,9,9'], 'within 16x16 pixels'),
        ('prompt', ['complete', 'GIVEN', '--keep=1.5'], 'must be from 0 to 1'),
        ('prompt', ['complete', 'GIVEN', '--box=1,2'], 'give X,Y,WIDTH,HEIGHT'),
        ('prompt', ['complete', 'GIVEN', '--box=0,0,9,9', '--keep=1'], 'take one'),
        ('prompt', ['complete', 'GIVEN', '--steps=3'], 'is of music and drawings'),
    ],
)
def test_what_cannot_be_drawn_is_one_line(models, tmp_path, model, words, message):
    file = tmp_path / 'given.png'
    images.save_png(file, np.zeros((16, 16, 3), np.uint8))
    words = [str(file) if word == 'GIVEN' else word for word in words]
    with contextlib.redirect_stderr(io.StringIO()) as lines:
        assert run(models, tmp_path, *words, model=model) == 2
    assert message in lines.getvalue() and lines.getvalue().count('\n') == 1


@pytest.mark.slow
def test_python_refuses_what_a_model_does_not_have(models):
    model = gv.open(models['prompt'])
    codes = np.zeros((1, 8, 8), int)
    assert model.detokenise(codes).shape == (1, 16, 16, 3)
    for bad in (codes + 9, codes - 1, codes[:, :4], codes * 1.0, codes[:0]):
        with pytest.raises(UserError, match='codes are'):
            model.detokenise(bad)
    with pytest.raises(UserError, match='2 prompts for 3 samples'):
        model.sample(3, prompt=['a', 'a cat'])
    for bad in (5, ['a', 5], {'a': 1}):
        with pytest.raises(UserError, match='give a text, or a list of texts'):
            model.sample(2, prompt=bad)
    with pytest.raises(UserError, match='truncation'):
        model.sample(1, truncation=1.0)
    vae = gv.open('pretrained:emoji_vae')
    for name in ('guidance', 'top_k'):
        with pytest.raises(UserError, match=f'{name} needs a prior over codes'):
            vae.sample(1, **{name: 1})
    with pytest.raises(UserError, match='prompt needs captions that it learned from'):
        vae.sample(1, prompt='a cat')
