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
_MOOD = r'\b({})\b(?! *(?:arched )?(?:eyes?|look|mouth)\b),? *'
_AN = re.compile(r'(?!uni|one\b)[aeiou]', re.IGNORECASE)  # what 'an' stands before


def words(mood: str) -> tuple[str, str]:
    """Its eyes and its mouth, as captions name them."""
    eyes, mouth = MOODS[mood]
    return EYES[eyes].split(' | ')[0], MOUTHS[mouth].split(' | ')[0]


def plain(prompt: str, known: Collection[str]) -> tuple[str, list[str]]:
    """(the prompt without moods, and with their eyes and mouths at its end; the moods).

    A mood that is part of a name stays ('happy eyes'), as does one some of whose words
    are not `known`.
    """
    said = re.findall(_MOOD.format('|'.join(MOODS)), prompt, re.IGNORECASE)
    moods = [m for m in dict.fromkeys(map(str.lower, said)) if _drawn(m, known)]
    if not moods:
        return prompt, []

    def without(match: re.Match[str]) -> str:
        article, after = match['article'], prompt[match.end() :]
        if article and after:
            article = article[0] + ('n ' if _AN.match(after) else ' ')
        return article or ''

    these = _MOOD.format('|'.join(moods))
    run = rf'(?P<article>\ban? +)?(?:{these})+'
    rest = re.sub(run, without, prompt, flags=re.IGNORECASE)
    parts = ' and '.join(' and '.join(words(mood)) for mood in moods)
    return f'{rest.strip()} with {parts}'.strip(), moods


def changed(was: str, to: str, known: Collection[str]) -> str:
    """What `to` says; where it is a mood alone ('sad', 'make it sad') whose words are
    `known`, what `was` says with its eyes and mouth in place of those that are named.
    """
    match = re.fullmatch(r'(?:make it )?(\w+)\W*', to.strip(), re.IGNORECASE)
    mood = match[1].lower() if match else ''
    if mood not in MOODS or not _drawn(mood, known):
        return to
    parts, both = words(mood), ' and '.join(words(mood))
    named = [re.search(names, was, re.IGNORECASE) for names in _names()]
    if not any(named):
        return f'{was} with {both}'.strip()
    for names, part, is_named in zip(_names(), parts, named, strict=True):
        if is_named:
            said = part if all(named) else both
            was = re.sub(names, said, was, flags=re.IGNORECASE)
    return was


def _drawn(mood: str, known: Collection[str]) -> bool:
    """Whether all words of its eyes and mouth are known."""
    return set(' '.join(words(mood)).split()) <= set(known)


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
