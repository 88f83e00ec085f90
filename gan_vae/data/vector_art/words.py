"""What a style module says of its style, and the words that several styles share.

A word may be several, with ' | ' between them; each wording takes one. Values that
look alike at 32 pixels share their words, and '' stands for what cannot be seen.
"""

from typing import NamedTuple

NONE = 'none'  # a part that is not there, or a colour that paints nothing


class Words(NamedTuple):
    """The visible factors of a style, and how a caption names their values.

    Factors are named as DiceBear names its options: the part itself, or a colour with
    'Color' at its end. A text in braces is another factor: '{accentColor} horns'.
    """

    # Whose change alone changes at least .5 % of the pixels at 32 pixels by more than
    # 24 of 255, on average over pictures and values.
    factors: tuple[str, ...]
    held_out: tuple[str, str]  # the pair whose combinations are kept for test_comp
    names: dict[str, dict[str, str]]  # {factor: {value: words}}
    heads: tuple[str, ...]  # what the picture shows, in several wordings
    parts: tuple[tuple[str, ...], ...]  # what it has, each in several wordings
    grounds: tuple[str, ...] = ()  # what is behind it
    # Parts that are too small to be factors, and whose colour can be seen.
    coloured: tuple[str, ...] = ()
    # {factor: (other, values)}: where the other has such a value it cannot be seen.
    unseen: dict[str, tuple[str, tuple[str, ...]]] = {}


BRIGHT = {  # of bodies, faces and pots
    '#7dd3fc': 'sky blue | light blue',
    '#a5b4fc': 'periwinkle | lavender blue',
    '#c4b5fd': 'lavender | light purple',
    '#f0abfc': 'orchid | light magenta',
    '#fda4af': 'salmon | salmon pink',
    '#fca5a5': 'salmon | salmon pink',
    '#fdba74': 'orange | light orange',
    '#fcd34d': 'yellow | golden yellow',
    '#bef264': 'lime | yellow-green',
    '#6ee7b9': 'mint | mint green',
    '#5eead4': 'turquoise | aqua',
    '#e2e8f0': 'white | pale grey',
}
DEEP = {  # of the backgrounds behind them
    '#0369a1': 'ocean blue | steel blue',
    '#1d4ed8': 'royal blue | bright blue',
    '#4338ca': 'indigo | blue-violet',
    '#6d28d9': 'violet | deep violet',
    '#a21caf': 'purple | magenta purple',
    '#be185d': 'raspberry | deep pink',
    '#be123c': 'crimson | deep red',
    '#c2410c': 'rust | burnt orange',
    '#b45309': 'rust | burnt orange',
    '#047857': 'green | dark green',
    '#0f766e': 'green | dark green',
    '#1e293b': 'navy | almost black',
}
EYES = {
    'angry': 'angry eyes | an angry look',
    'bigPupils': 'big black pupils | eyes with big pupils',
    'close': 'tiny eyes close together | two tiny eyes side by side',
    'closed': 'closed eyes | shut eyes',
    'closedLine': 'closed eyes | shut eyes',
    'dots': 'dots for eyes | small black eyes',
    'happy': 'happy arched eyes | happy eyes',
    'round': 'round eyes | round white eyes',
    'sideeye': 'eyes looking sideways | a sideways look',
    'sleepy': 'sleepy eyes | half-closed eyes',
    'squint': 'squeezed eyes | tightly shut eyes',
    'uneven': 'uneven eyes | a big eye and a small eye',
    'wide': 'wide-open eyes | wide eyes',
    'wink': 'a wink | a winking eye',
}
MOUTHS = {
    'catMouth': 'a cat mouth | a mouth like that of a cat',
    'frown': 'a frown | a frowning mouth',
    'grin': 'an open grin | an open smile',
    'laugh': 'a laugh | a laughing mouth',
    'line': 'a straight mouth | a flat mouth',
    'ooh': 'a small round mouth | a little round mouth',
    'open': 'an open mouth | a wide-open mouth',
    'smile': 'a smile | a smiling mouth',
    'smirk': 'a smirk | a crooked smile',
    'tinySmile': 'a tiny smile | a small smile',
    'tongue': 'a smile with its tongue out | its tongue out',
    'tooth': 'a single tooth | one tooth showing',
    'wavy': 'a wavy mouth | a wobbly mouth',
}
MOODS = {  # (eyes, mouth)
    'happy': ('happy', 'grin'),
    'sad': ('closed', 'frown'),
    'angry': ('angry', 'frown'),
    'surprised': ('wide', 'open'),
    'sleepy': ('sleepy', 'line'),
}
