"""A mood is a name for eyes and a mouth, and leaves all else as it is."""

import pytest

from gan_vae.data.texts import Text
from gan_vae.data.vector_art import captions, factors, mood
from gan_vae.data.vector_art.words import EYES, MOODS, MOUTHS
from gan_vae.errors import UserError
from gan_vae.methods import prompting

KNOWN = ' '.join(' '.join(mood.words(m)) for m in MOODS).split()


@pytest.mark.parametrize('style', ['critters', 'sprouts'])
@pytest.mark.parametrize('name', MOODS)
def test_a_mood_changes_its_factors_alone(style, name):
    seen = {f: factors.values(style, f)[0] for f in captions.styles.of(style).factors}
    seen |= {'eyes': 'dots', 'mouth': 'wavy'}
    eyes, mouth = mood.words(name)
    for wording in range(10):
        was = captions.caption(style, seen, wording)
        now = mood.changed(was, f'Make it {name}!', KNOWN)
        assert eyes in now and mouth in now
        for text in (EYES['dots'], MOUTHS['wavy']):
            for phrase in text.split(' | '):
                assert phrase not in now
        # the rest stands as it stood
        for named in (eyes, *EYES['dots'].split(' | ')):
            was, now = was.replace(named, 'E'), now.replace(named, 'E')
        for named in (mouth, *MOUTHS['wavy'].split(' | ')):
            was, now = was.replace(named, 'M'), now.replace(named, 'M')
        assert now == was


@pytest.mark.parametrize(
    ('prompt', 'expected'),
    [
        ('an angry cactus', 'a cactus with angry eyes and a frown'),
        ('a sad, orange critter', 'an orange critter with closed eyes and a frown'),
        ('a critter with happy eyes', 'a critter with happy eyes'),
        ('a small sad mouth, sleepy eyes', 'a small sad mouth, sleepy eyes'),
        ('a sad unicorn', 'a unicorn with closed eyes and a frown'),
        ('a sad, sad owl', 'an owl with closed eyes and a frown'),
        ('An angry cat, a uniform', 'A cat, a uniform with angry eyes and a frown'),
        ('Surprised', 'with wide-open eyes and an open mouth'),
    ],
)
def test_a_mood_in_a_prompt_is_its_eyes_and_mouth(prompt, expected):
    assert mood.plain(prompt, KNOWN)[0] == expected
    # a model that does not know these words is asked for what was said
    assert mood.plain(prompt, KNOWN[1:2]) == (prompt, [])


def test_a_change_that_is_no_mood_alone_stays():
    assert mood.changed('a cat', 'a sad cat', KNOWN) == 'a sad cat'
    # nor one whose eyes the model does not know
    assert mood.changed('a happy cat', 'sad', ['sad', 'happy', 'cat']) == 'sad'


@pytest.mark.parametrize(
    ('was', 'to', 'expected'),
    [
        ('', 'sad', 'with closed eyes and a frown'),
        ('a cat with shut eyes', 'angry', 'a cat with angry eyes and a frown'),
        ('a pot with an open grin on navy', 'sad', 'a pot with BOTH on navy'),
        # the longest name that is there
        ('a pot with a smile with its tongue out', 'sad', 'a pot with BOTH'),
    ],
)
def test_a_mood_takes_the_place_of_what_is_named(was, to, expected):
    both = 'closed eyes and a frown'
    assert mood.changed(was, to, KNOWN) == expected.replace('BOTH', both)


def test_a_prompt_with_a_mood_is_told_of_it_and_of_unknown_words():
    text = Text('words', (*dict.fromkeys(KNOWN), 'cactus', 'a'), 12, ('a cactus',))
    row, lines = prompting.numbers(text, 'a sad cactus zebra')
    plain, _ = prompting.numbers(text, 'a cactus with closed eyes and a frown')
    assert row.tolist() == plain.tolist()
    assert lines[0] == "'sad' is drawn as closed eyes and a frown"
    assert "leaves out: 'zebra'" in lines[1]
    with pytest.raises(UserError, match='knows none of these words'):
        prompting.numbers(text._replace(words=('cactus',)), 'sad zebra')
