"""critters: a creature with a face and something on its head.

The accent colour paints what is on the head, and never the pattern on the body.
"""

from gan_vae.data.vector_art.words import BRIGHT, DEEP, EYES, MOUTHS, Words

WORDS = Words(
    factors=(
        *('body', 'bodyColor', 'backgroundColor', 'top'),
        *('eyes', 'mouth', 'pattern', 'accentColor'),
    ),
    held_out=('body', 'bodyColor'),
    heads=(
        'a {bodyColor} {body} critter',
        'a {body} {bodyColor} monster',
        'a {body} creature in {bodyColor}',
        'a critter, {body} and {bodyColor},',
    ),
    parts=(('{top}',), ('{eyes}',), ('{mouth}',), ('{pattern}',)),
    grounds=('on a {backgroundColor} background', 'against {backgroundColor}'),
    names={
        'bodyColor': BRIGHT,
        'accentColor': BRIGHT,
        'backgroundColor': DEEP,
        'body': {
            'dome': 'domed | dome-shaped',
            'block': 'square | blocky',
            'tower': 'tall rounded | tower-shaped',
            'chimney': 'tall boxy | chimney-shaped',
            'squat': 'squat | wide low',
            'blob': 'lumpy | blob-shaped',
            'round': 'round | half-round',
            'tilt': 'tilted | lopsided',
            'lean': 'leaning | slanting',
            'peak': 'pointed | peaked',
            'bell': 'bell-shaped | flared',
            'wedge': 'wedge-shaped | tapering',
            'wedgeInv': 'top-heavy | upside-down wedge-shaped',
            'steps': 'stepped | step-shaped',
        },
        'top': {
            'horns': 'long {accentColor} horns | big {accentColor} horns',
            'hornsIn': 'upright {accentColor} horns | {accentColor} horns',
            'hornsSmall': 'small {accentColor} horns | {accentColor} bumps',
            'spike': 'a {accentColor} spike | one {accentColor} spike',
            'antenna': 'a {accentColor} antenna | one {accentColor} antenna',
            'antennae': 'two {accentColor} antennae | {accentColor} antennae',
            'earsRound': 'round {accentColor} ears | {accentColor} round ears',
            'earsPointy': 'pointy {accentColor} ears | {accentColor} pointed ears',
            'earsDroop': 'drooping {accentColor} ears | {accentColor} floppy ears',
            'spikes': 'three {accentColor} spikes | {accentColor} spikes',
            'fin': 'a {accentColor} fin | a {accentColor} crest',
            'crown': 'a {accentColor} crown | a little {accentColor} crown',
            'sprout': 'a {accentColor} sprout | two {accentColor} leaves on top',
            'nub': 'a {accentColor} stub | a {accentColor} knob',
            'bobble': 'a {accentColor} bobble | a {accentColor} ball on top',
        },
        'eyes': EYES
        | {
            'inward': 'crossed eyes | eyes looking inward',
            'mono': 'a single big eye | only one eye',
            'trio': 'three eyes',
            'threeRow': 'three eyes in a row | three eyes side by side',
            'four': 'four eyes | two pairs of eyes',
            'monoSleepy': 'a single sleepy eye | only one eye, half closed',
        },
        'mouth': MOUTHS
        | {
            'teeth': 'big teeth | a mouth full of teeth',
            'zigzag': 'a zigzag mouth | a jagged mouth',
            'sad': 'a small sad mouth | a small frown',
            'slant': 'a slanted mouth | a crooked mouth',
            'dot': 'a tiny dot of a mouth | a dot for a mouth',
            'blep': 'a flat mouth with its tongue out | the tip of its tongue out',
        },
        'pattern': {
            'belly': 'a pale belly | a pale disc on the belly',
            'dots': 'pale dots | pale dots on the body',
            'speckles': 'pale speckles | pale speckles on the body',
            'bar': 'a pale bar | a pale bar on the body',
            'bars': 'two pale bars | two pale bars on the body',
            'spot': 'a pale spot | a pale spot on the body',
            'stripes': 'pale stripes | pale stripes on the body',
            'dotRow': 'a row of pale dots | a pale row of dots on the body',
            'chevron': 'a pale zigzag line | a pale zigzag on the body',
            'ring': 'a pale ring | a pale ring on the body',
        },
    },
    unseen={'pattern': ('bodyColor', ('#e2e8f0',))},  # white on white: 6 of 255
)
