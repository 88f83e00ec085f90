"""art: the drawings, their splits, and captions that say what can be seen."""

import dataclasses
import hashlib
import platform
import re
from pathlib import Path

import numpy as np
import pytest

from gan_vae import data
from gan_vae.data import readers
from gan_vae.data.pictures import Fit
from gan_vae.data.readers import art, art_pairs
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.vector_art import (
    captions,
    drawing,
    factors,
    licences,
    painter,
    splits,
    styles,
)
from gan_vae.errors import UserError

WHITE = (255, 255, 255)
LABELLED = [style for style in drawing.names() if styles.of(style)]
TWO = 'art:critters=40+moods=40'


def settings(name: str, size: int = 16, **more) -> Settings:
    return Settings(name=name, image_size=size, **more)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path))


def sha(*parts: bytes) -> str:
    return hashlib.sha256(b''.join(parts)).hexdigest()[:16]


def test_sixty_pictures_are_the_same_ones():
    """Another version of a package changes pictures of a fifth of the styles."""
    pictures = [(style, 0) for style in drawing.names()] + [('critters', 1)]
    assert len(pictures) == 60
    svgs = [drawing.draw(*picture)[0] for picture in pictures]
    assert sha(*(svg.encode() for svg in svgs)) == 'acc9385aacbfce57'
    if platform.machine() != 'x86_64':
        return  # resvg rounds as the machine does
    images = [drawing.render(svg, 32, 3, WHITE) for svg in svgs]
    assert sha(*(image.tobytes() for image in images)) == '2a918d2029ff9ecf'
    large = drawing.render(svgs[-1], 64, 1, WHITE)
    assert sha(large.tobytes()) == '11ef679e104d5b68'


def test_small_pictures_are_means_of_larger_ones():
    svg = drawing.draw('critters', 7)[0]
    exact = drawing.render(svg, 512, 3, WHITE).reshape(32, 16, 32, 16, 3).mean((1, 3))
    error = np.abs(drawing.render(svg, 32, 3, WHITE) - exact)
    assert error.mean() < 0.6 and error.max() < 25


def test_another_version_is_one_line(monkeypatch):
    monkeypatch.setitem(drawing.VERSIONS, 'dicebear-styles', '10.3.0')
    with pytest.raises(UserError, match=r'dicebear-styles is 10\.6\.0, and 10\.3\.0'):
        art.load('critters', 'train[:1]', settings('art:critters'))
    monkeypatch.setitem(drawing.VERSIONS, 'no-such-package', '1')
    monkeypatch.setitem(drawing.VERSIONS, 'dicebear-styles', '10.6.0')
    with pytest.raises(UserError, match='not installed.*pip install dicebear-core=='):
        art.load('critters', 'train[:1]', settings('art:critters'))


@pytest.mark.parametrize(
    'rest, said',
    [
        ('criters', "style of art 'criters' \\(did you mean 'critters'\\?\\)"),
        ('critters=0', "'critters=0' is not STYLE or STYLE=N"),
        ('critters+', "'' is not STYLE"),
        ('critters=2=3', 'is not STYLE'),
        ('critters*2', 'unknown style'),
        ('moods+critters+moods', 'moods is there twice'),
        ('initials', 'letters with the fonts of the machine'),
    ],
)
def test_a_wrong_name_is_one_line(rest, said):
    with pytest.raises(UserError, match=said) as error:
        art.parse(rest)
    assert '\n' not in str(error.value)


def test_a_wrong_size_or_split_is_one_line():
    with pytest.raises(UserError, match='image_size=8: nothing can be seen'):
        data.examples(settings('art', 8), 'train')
    with pytest.raises(
        UserError, match="no split 'test_com'.*did you mean 'test_comp'"
    ):
        data.examples(settings('art'), 'test_com')
    with pytest.raises(UserError, match="split 'test_comp' of art:icons=9 is empty"):
        data.examples(settings('art:icons=9'), 'test_comp')


def test_the_name_alone_is_the_default_set():
    assert readers.find('art') == (art, art.DEFAULT) == readers.find('art:')
    assert art.parse(art.DEFAULT) == dict.fromkeys(
        ['critters', 'landscape', 'planets', 'sprouts'], 3000
    )
    assert data.place('art') == ('art', 'all')
    assert art.parse('moods=7+gaze') == {'moods': 7, 'gaze': 3000}


def test_a_set_is_drawn_once_and_split(monkeypatch):
    whole = data.examples(settings(TWO), 'all')
    assert whole.images.shape == (80, 16, 16, 3)
    assert whole.class_names == ('critters', 'moods')
    assert np.bincount(whole.labels).tolist() == [40, 40]

    def drawn_again(*args):
        raise AssertionError

    monkeypatch.setattr(painter, 'paint', drawn_again)
    parts = {name: art.load(TWO[4:], name, settings(TWO)) for name in splits.NAMES}
    assert sum(part.size for part in parts.values()) == 80
    assert min(part.size for part in parts.values()) > 0
    pictures = [{image.tobytes() for image in p.images} for p in parts.values()]
    assert len(set.union(*pictures)) == 80
    both = data.examples(settings(TWO), 'test+test_comp')
    assert both.size == parts['test'].size + parts['test_comp'].size
    assert both.captions[-1] == parts['test_comp'].captions[-1]
    on_disk = data.examples(settings(TWO, storage='stream'), 'train')
    assert isinstance(on_disk.images, np.memmap)
    assert on_disk.fingerprint() == parts['train'].fingerprint()
    with pytest.raises(AssertionError):  # another size is another set
        data.examples(settings(TWO, 17), 'train')


def test_a_slice_is_the_start_of_its_split_and_draws_no_more():
    train = data.examples(settings(TWO), 'train')
    few = data.examples(settings(TWO), 'train[:9]')
    np.testing.assert_array_equal(few.images, train.images[:9])
    assert few.captions == train.captions[:9]
    assert few.factors and train.factors
    for name, column in few.factors.items():
        np.testing.assert_array_equal(column, train.factors[name][:9])
    assert data.examples(settings('art:waves=1000000'), 'test[:1]').size == 1


def test_a_split_is_a_function_of_what_is_visible():
    drawn = [drawing.draw('critters', number)[1] for number in range(700)]
    found = [splits.split('critters', options) for options in drawn]
    rest = [name for name in found if name != 'test_comp']
    assert abs(found.count('test_comp') / 700 - 28 / 168) < 0.04
    for name, share in {'train': 0.85, 'validation': 0.07, 'test': 0.08}.items():
        assert abs(rest.count(name) / len(rest) - share) < 0.04
    pairs = {name: set() for name in splits.NAMES}
    for options, name in zip(drawn, found, strict=True):
        pairs[name].add(
            tuple(factors.choice(options, f) for f in ('body', 'bodyColor'))
        )
    assert not pairs['test_comp'] & (pairs['train'] | pairs['validation'])
    assert len(pairs['test_comp']) == 28
    for place, count in enumerate((14, 12)):  # each value of it is trained on
        assert len({pair[place] for pair in pairs['train']}) == count
        assert len({pair[place] for pair in pairs['test_comp']}) == count
    # What cannot be seen moves no picture: cheeks of a critter.
    for number in range(20):
        bare = drawing.draw('critters', number, cheeksProbability=0)[1]
        assert splits.split('critters', bare) == found[number]


def test_pictures_that_look_alike_are_left_out(monkeypatch):
    options = drawing.draw('gaze', 0)[1]
    same = options | {'shapeRotate': 5}
    other = drawing.draw('gaze', 1)[1]
    first, second = np.zeros((16, 16, 3), np.uint8), np.ones((16, 16, 3), np.uint8)

    def paint(*args):
        return iter([(options, first), (same, second), (other, first), (other, second)])

    monkeypatch.setattr(
        painter, 'paint', lambda *a: (('gaze', *each) for each in paint(*a))
    )
    kept = [*art.distinct({'gaze': 4}, Fit(16, 3))]
    assert [one.image.max() for one in kept] == [0]


@pytest.mark.parametrize('style', LABELLED)
def test_a_colour_is_told_where_it_paints(style):
    """By ablation: magenta instead of a colour changes the pictures that show it."""
    told = [f for f in styles.of(style).factors if f.endswith('Color')]
    shown = dict.fromkeys(told, 0)
    for number in range(5):
        svg, options = drawing.draw(style, number)
        before = drawing.render(svg, 32, 3, WHITE).astype(int)
        for factor in told:
            after = drawing.draw(style, number, **{factor: ['#ff00ff']})[0]
            after = drawing.render(after, 32, 3, WHITE)
            share = (np.abs(after - before).max(-1) > 24).mean()
            if factors.seen(style, options)[factor] == factors.NONE:
                assert share < 0.005, factor
            else:
                assert share > 0.001, factor
                shown[factor] += 1
    assert sum(count > 0 for count in shown.values()) >= len(told) - 1


def test_the_accent_of_a_critter_is_on_its_head_alone():
    """The trap: captions once said 'violet dots', and dots are never violet."""
    bare = {'topProbability': 0, 'patternProbability': 100}
    one = drawing.draw('critters', 3, **bare, accentColor=['#7dd3fc'])
    two = drawing.draw('critters', 3, **bare, accentColor=['#bef264'])
    assert one[0] == two[0]
    seen = factors.seen('critters', one[1])
    assert seen['accentColor'] == seen['top'] == 'none' != seen['pattern']
    assert not re.search('blue|lime', captions.caption('critters', seen | ROSE))


ROSE = {'bodyColor': '#fda4af', 'backgroundColor': '#be123c'}


def test_what_is_hidden_is_not_told():
    pale = drawing.draw('critters', 0, bodyColor=['#e2e8f0'], patternProbability=100)[1]
    assert (
        pale['patternVariant'] and factors.seen('critters', pale)['pattern'] == 'none'
    )
    worn = {'glassesVariant': 'shades', 'glassesProbability': 100}
    hidden = factors.seen('voxel-art', drawing.draw('voxel-art', 0, **worn)[1])
    assert hidden['eyes'] == 'none' and hidden['glasses'] == 'shades'
    bald = {'topVariant': 'short', 'topProbability': 100}
    options = drawing.draw('voxel-art', 0, **bald, outfitVariant='suit')[1]
    assert options['hatColor']  # chosen, as the jacket must have another colour
    assert factors.seen('voxel-art', options)['hatColor'] == 'none'


@pytest.mark.parametrize('style', LABELLED)
def test_each_value_has_words_and_each_word_a_value(style):
    words = styles.of(style)
    texts = (*words.heads, *sum(words.parts, ()), *words.grounds)
    used = {*re.findall(r'\{(\w+)\}', ' '.join(texts))}
    for factor, named in words.names.items():
        known = {*factors.values(style, factor)} - {'none'}
        assert known <= {*named}, factor
        for value in known:
            for text in named[value].split(' | '):
                used |= {*re.findall(r'\{(\w+)\}', text)}
    assert used == {*words.names} <= {*words.factors}
    assert {*words.held_out} <= {*words.factors}


def test_captions_are_many_wordings_of_what_is_seen():
    seen = factors.seen('critters', drawing.draw('critters', 0)[1])
    assert seen['top'] == 'hornsSmall' and seen['bodyColor'] == '#a5b4fc'
    found = {captions.caption('critters', seen, wording) for wording in range(40)}
    assert len(found) > 35
    for text in found:
        assert re.search('horns|bumps', text) and re.search('periwinkle|lavender', text)
        assert re.search('crossed|inward', text) and not re.search(r'[{}|]|  |,$', text)
        assert not re.search(r'\ba [aeiou]', text)
    assert captions.caption('critters', seen) == (
        'a lavender blue wide low critter against blue-violet with small salmon pink '
        'horns, a smile, eyes looking inward and pale dots on the body'
    )
    bare = captions.caption('critters', seen | {'accentColor': 'none'})
    assert not re.search('horns|bumps|  ', bare)
    assert captions.caption('waves', {}) == ''


def test_factors_and_captions_of_a_set_agree():
    few = data.examples(settings('art:sprouts=30+waves=30', 32), 'train[:20]')
    assert few.factors and few.factor_values.keys() == few.factors.keys()
    assert few.captions == captions.of(few)
    other = captions.of(few, 1)
    for row, label in enumerate(few.labels):
        plant = few.factor_values['sprouts.plant'][few.factors['sprouts.plant'][row]]
        if few.class_names[label] == 'waves':
            assert plant == 'none' and few.captions[row] == other[row] == ''
        else:
            assert plant != 'none' and few.captions[row] != other[row]
    kept = data.examples(
        settings('art:sprouts=30+waves=30', 32, categories='sprouts'), 'train[:20]'
    )
    assert kept.captions == tuple(filter(None, few.captions)) == captions.of(kept)
    assert data.examples(settings('art:waves=9'), 'train').captions == ()
    assert captions.of(Examples(np.zeros((1, 8, 8, 3), np.uint8))) == ()


def test_a_process_that_ends_is_one_line():
    with pytest.raises(UserError, match='a process that draws ended: .*nonesuch'):
        [*painter.paint([('nonesuch', 0)] * 2, 2, Fit(16, 3))]


def test_processes_draw_what_this_one_draws():
    pictures = [('planets', number) for number in range(painter.CHUNK + 5)]
    here = [*painter.paint(pictures, len(pictures), Fit(16, 3), alone=True)]
    there = [*painter.paint(pictures, len(pictures), Fit(16, 3))]
    for one, other in zip(here, there, strict=True):
        assert one[:2] == other[:2]
        np.testing.assert_array_equal(one[2], other[2])


def test_licences_are_those_of_the_package():
    free = [style for style in drawing.names() if licences.may_ship([style])]
    assert len(drawing.names()) == 59 and len(free) == 40
    assert licences.may_ship(art.parse(art.DEFAULT))
    assert not licences.may_ship(['critters', 'adventurer'])
    assert not licences.may_ship(['icons'])  # MIT: its notice must go along
    found = data.examples(settings('art:adventurer=9+moods=9'), 'train[:2]')
    assert 'adventurer is CC BY 4.0 by Lisa Wischofsky' in found.note
    assert not data.examples(settings('art:moods=9'), 'train[:2]').note


def test_grey_and_transparent_pictures_follow_the_config():
    grey = dataclasses.replace(settings('art:rings=3'), channels=1, background='black')
    found = data.examples(grey, 'train[:2]').images
    assert found.shape == (2, 16, 16, 1) and found[:, 0, 0].max() == 0


def test_the_data_card_states_each_licence():
    card = Path(__file__).parents[2] / 'docs' / 'art_styles.md'
    rows = {
        row.split('|')[1].strip(' `'): [cell.strip() for cell in row.split('|')[2:-1]]
        for row in card.read_text().splitlines()
        if row.startswith('| `')
    }
    assert list(rows) == drawing.names()
    for style, (licence, artist, labelled, shipped) in rows.items():
        about = licences.of(style)
        assert (licence, artist) == (about.name, about.creator)
        assert bool(labelled) == (style in LABELLED)
        assert (shipped == 'yes') == licences.may_ship([style])


def test_pairs_differ_in_one_factor():
    """Of the drawings of `art`, by number, in the same splits."""
    how = Settings(image_size=32)
    every = art_pairs.load('critters=40,eyes=wink', 'all', how)
    parts = {
        split: set(art_pairs.load('critters=40,eyes=wink', split, how).captions)
        for split in splits.NAMES
        if split != 'validation'
    }
    assert sum(map(len, parts.values())) <= every.size == len(every.captions) <= 40
    for image, number in zip(every.images[:12], every.captions, strict=False):
        svg, options = drawing.draw('critters', int(number))
        before = drawing.render(svg, 32, 3, WHITE)
        np.testing.assert_array_equal(image[..., :3], before)
        again, changed = drawing.draw('critters', int(number), eyesVariant='wink')
        after = drawing.render(again, 32, 3, WHITE)
        np.testing.assert_array_equal(image[..., 3:], after)
        assert (before != after).any()
        different = {k for k in options if options[k] != changed.get(k)}
        assert different == {'eyesVariant'} and options.keys() == changed.keys()
        split = splits.split('critters', options)
        assert number in parts.get(split, {number})
        assert all(number not in parts[p] for p in parts if p != split)
    coloured = art_pairs.load('sprouts=5,backgroundColor=#047857', 'all', how)
    corner = coloured.images[:, 0, 0]
    assert (corner[:, 3:] == (4, 120, 87)).all()
    assert (corner[:, :3] != corner[:, 3:]).any()
    for rest, message in (
        ('critters', 'write art_pairs:STYLE,FACTOR=VALUE'),
        ('critters,eyes=winky', "did you mean 'wink'"),
        ('critters,eye=wink', "did you mean 'eyes'"),
        ('critters+sprouts,eyes=wink', 'takes one style'),
        ('waves,eyes=wink', "unknown style with factors 'waves'; one of: cri"),
        ('critters=2,top=none', 'has no pair in the split'),
    ):
        with pytest.raises(UserError, match=message):
            art_pairs.load(rest, 'train', how)
