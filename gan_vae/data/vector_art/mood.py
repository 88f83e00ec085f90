"""Moods as words of a prompt: each is a name for eyes and a mouth.

  'a sad cactus'  ->  'a cactus with closed eyes and a frown'

Captions have the eyes and the mouth only: a mood is no factor, and changes no data.
"""

import functools
import re
from collections.abc import Collection

from gan_vae import modules
from gan_vae.data.vector_art import styles
from gan_vae.data.vector_art.words import EYES, MOODS, MOUTHS

# a mood, unless it is part of the name of eyes or of a mouth
_PART = r'(?:arched )?(?:eyes?|look|mouth)\b'
_ALONE = re.compile(rf'\b({"|".join(MOODS)})\b(?! *{_PART}),? *', re.IGNORECASE)


def words(mood: str) -> tuple[str, str]:
    """Its eyes and its mouth, as captions name them."""
    eyes, mouth = MOODS[mood]
    return EYES[eyes].split(' | ')[0], MOUTHS[mouth].split(' | ')[0]


def plain(prompt: str, known: Collection[str]) -> tuple[str, list[str]]:
    """(the prompt without moods, and with their eyes and mouths at its end; the moods).

    A mood that is part of a name stays ('happy eyes'), as does one some of whose words
    are not `known`.
    """
    moods = [
        mood
        for mood in dict.fromkeys(m.lower() for m in _ALONE.findall(prompt))
        if set(' '.join(words(mood)).split()) <= set(known)
    ]
    if not moods:
        return prompt, []
    rest = _ALONE.sub(lambda m: '' if m[1].lower() in moods else m[0], prompt)
    rest = re.sub(r'\ban? (?=[aeiou])', 'an ', re.sub(r'\ban (?=\w)', 'a ', rest))
    parts = ' and '.join(' and '.join(words(mood)) for mood in moods)
    return f'{rest.strip()} with {parts}'.strip(), moods


def changed(was: str, to: str) -> str:
    """What `to` says; where it is a mood alone ('sad', 'make it sad'), what `was` says
    with its eyes and mouth in place of those that are named."""
    match = re.fullmatch(r'(?:make it )?(\w+)\W*', to.strip(), re.IGNORECASE)
    if not match or (mood := match[1].lower()) not in MOODS:
        return to
    lacking = []
    for names, part in zip(_names(), words(mood), strict=True):
        was, count = re.subn(names, part, was, flags=re.IGNORECASE)
        if not count:
            lacking.append(part)
    return f'{was} with {" and ".join(lacking)}'.strip() if lacking else was


@functools.cache
def _names() -> tuple[str, str]:
    """Patterns of all that captions call eyes, and a mouth."""
    about = [w for n in modules.names(styles.__name__) if (w := styles.of(n))]

    def pattern(factor: str) -> str:
        named = {
            wording
            for style in about
            for text in style.names.get(factor, {}).values()
            for wording in text.split(' | ')
        } - {''}
        longest_first = sorted(named, key=lambda name: (-len(name), name))
        return rf'\b(?:{"|".join(map(re.escape, longest_first))})\b'

    return pattern('eyes'), pattern('mouth')
