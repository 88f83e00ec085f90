"""moods: a face, its eyes and mouth shifted a little from picture to picture."""

from gan_vae.data.vector_art.words import BRIGHT, DEEP, EYES, MOUTHS, Words

WORDS = Words(
    factors=('face', 'faceColor', 'backgroundColor', 'eyes', 'mouth', 'cheeks'),
    held_out=('face', 'faceColor'),
    heads=(
        'a {faceColor} {face} face',
        'a {face} {faceColor} smiley',
        'a {face} face in {faceColor}',
        'a face, {face} and {faceColor},',
    ),
    parts=(('{eyes}',), ('{mouth}',), ('{cheeks}',)),
    grounds=('on a {backgroundColor} background', 'against {backgroundColor}'),
    names={
        'faceColor': BRIGHT,
        'backgroundColor': DEEP,
        'face': {
            'circle': 'round | circular',
            'squircle': 'square | squarish',
            'softSquare': 'square | squarish',
            'wide': 'wide | wide oval',
            'tall': 'tall | tall oval',
            'hexagon': 'six-sided | hexagonal',
            'bean': 'lopsided | bean-shaped',
            'pebble': 'pebble-shaped | uneven',
            'blob': 'lopsided | blob-shaped',
        },
        'cheeks': {'blush': 'pale cheeks | pale spots on its cheeks'},
        'eyes': EYES
        | {
            'pupils': 'round eyes | round white eyes',
            'sparkle': 'sparkling eyes | shiny eyes',
            'small': 'small eyes | little eyes',
            'tallPupils': 'tall narrow eyes | tall eyes',
            'lookSide': 'eyes looking sideways | a sideways look',
            'lookDown': 'eyes looking down | a look downward',
            'lookUp': 'eyes looking up | a look upward',
            'calm': 'calm eyes | heavy-lidded eyes',
        },
        'mouth': MOUTHS
        | {
            'wide': 'a wide smile | a broad smile',
            'bigSmile': 'a big open smile | a big black smile',
            'smileOpen': 'an open smile | an open smile with a tongue',
            'grin': 'a toothy mouth | gritted teeth',
            'cat': 'a cat mouth | a mouth like that of a cat',
            'open': 'an open mouth | a tall open mouth',
            'gasp': 'a small round mouth | a little round mouth',
            'teeth': 'two front teeth | a mouth with two teeth',
        },
    },
    unseen={'cheeks': ('faceColor', ('#e2e8f0',))},  # white on white: 9 of 255
)
