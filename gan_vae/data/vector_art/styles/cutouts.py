"""cutouts: a face of torn paper. Its background is nearly white and is not told."""

from gan_vae.data.vector_art.words import Words

WORDS = Words(
    factors=(
        *('head', 'paperFaceColor', 'hair', 'paperHairColor'),
        *('eyes', 'mouth', 'nose', 'brows', 'cheeks'),
    ),
    held_out=('head', 'paperFaceColor'),
    heads=(
        'a {paperFaceColor} {head} paper face',
        'a {head} face cut from {paperFaceColor} paper',
        'a paper collage of a {head} {paperFaceColor} face',
        'a {paperFaceColor} paper cutout, a {head} face,',
    ),
    parts=(('{hair}',), ('{eyes}',), ('{mouth}',), ('{nose}',), ('{brows}',))
    + (('{cheeks}',),),
    names={
        'paperFaceColor': {
            '#e2a63d': 'yellow | mustard',
            '#e07856': 'orange | terracotta',
            '#7fb3d5': 'blue | light blue',
            '#93b98a': 'green | sage green',
            '#e8b4c0': 'pink | light pink',
            '#ab96d1': 'purple | lilac',
        },
        'paperHairColor': {
            '#2f4858': 'dark blue | petrol blue',
            '#33312e': 'black | nearly black',
            '#7b4b73': 'plum | dark purple',
            '#9c4a30': 'rust | reddish brown',
            '#4a7a63': 'green | dark green',
            '#46557a': 'slate blue | greyish blue',
        },
        'head': {
            'blob': 'roundish | many-sided',
            'block': 'square | blocky',
            'pear': 'pear-shaped | narrow-topped',
            'slanted': 'slanted | uneven',
            'wide': 'wide | broad',
            'tall': 'pointed | spiky',
        },
        'hair': {
            'fringe': 'a jagged {paperHairColor} fringe | {paperHairColor} fringe hair',
            'crest': 'a {paperHairColor} tuft on top | one {paperHairColor} tuft',
            'tufts': 'two {paperHairColor} tufts | two tufts of {paperHairColor} hair',
            'swoosh': 'a {paperHairColor} sweep of hair | swept {paperHairColor} hair',
            'sidePart': 'side-parted {paperHairColor} hair'
            ' | {paperHairColor} hair parted at the side',
            'curls': 'three {paperHairColor} curls | {paperHairColor} curls',
            'long': 'long {paperHairColor} hair | {paperHairColor} hair to the chin',
        },
        'eyes': {
            'circleSquare': 'a black eye and a square eye | a black and a square eye',
            'bigSmall': 'a big eye and a small black eye | one big eye, one small',
            'pair': 'a round eye and a square eye | a round white and a square eye',
            'sleepyOpen': 'a closed eye and an open one | one eye shut',
            'ringDot': 'a ring and a dot for eyes | a ringed eye and a black one',
            'squares': 'square eyes | two square eyes',
            'inkDots': 'black dots for eyes | two black eyes',
        },
        'mouth': {
            'zigzag': 'a zigzag mouth | a jagged mouth',
            'tornSmile': 'a red smile | a torn red smile',
            'strip': 'a straight red mouth | a red strip for a mouth',
            'wavy': 'a wavy mouth | a crooked black mouth',
            'gasp': 'a round open mouth | a black open mouth',
            'smile': 'a black smile | a thin black smile',
            'grin': 'a toothy grin | a grin with white teeth',
        },
        'nose': {
            'tornTriangle': 'a triangle for a nose | a triangular nose',
            'strip': 'a straight nose | a strip for a nose',
            'bent': 'a bent black nose | an angular black nose',
            'dab': 'a round nose | a dot for a nose',
            'hook': 'a hooked black nose | a curved black nose',
            'wedge': 'a wedge for a nose | a pointed nose',
        },
        'brows': {
            'strips': 'thick brows | heavy eyebrows',
            'dashes': 'thin brows | thin eyebrows',
            'uneven': 'uneven brows | uneven eyebrows',
            'mono': 'a single long brow | one long eyebrow',
        },
        'cheeks': {'torn': 'pink cheeks | pink dots on the cheeks'},
    },
)
