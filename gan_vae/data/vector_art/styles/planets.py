"""planets: a planet among stars, perhaps with a ring and moons.

Stars, the turn of the surface and the places of the moons vary freely.
"""

from gan_vae.data.vector_art.words import Words

WORDS = Words(
    factors=('planetColor', 'backgroundColor', 'surface', 'ring', 'moons'),
    held_out=('planetColor', 'surface'),
    heads=(
        'a {planetColor} planet',
        'a planet in {planetColor}',
        'a {planetColor} world',
        'one {planetColor} planet among stars',
    ),
    parts=(('{surface}',), ('{ring}',), ('{moons}',)),
    grounds=(
        'in a {backgroundColor} night sky',
        'against {backgroundColor} space',
        'on a {backgroundColor} starry sky',
    ),
    names={
        'planetColor': {
            '#e27a8c': 'pink | rose',
            '#e37f64': 'coral | red-orange',
            '#d88a40': 'orange | amber',
            '#c1982a': 'golden | mustard',
            '#9fa63b': 'olive | yellow-green',
            '#74b160': 'green | leaf green',
            '#39b789': 'sea green | emerald',
            '#00b6af': 'teal | turquoise',
            '#00b1cf': 'cyan | bright cyan',
            '#47a7e7': 'blue | sky blue',
            '#7a9bef': 'periwinkle | lavender blue',
            '#a18ee8': 'violet | light violet',
            '#c083d2': 'purple | light purple',
            '#d67cb2': 'magenta | pinkish purple',
        },
        'backgroundColor': {
            '#17233f': 'navy | dark blue',
            '#23244a': 'indigo | dark indigo',
            '#2c1c45': 'purple | dark purple',
            '#0f2336': 'navy | dark blue',
            '#012e3a': 'dark teal | deep teal',
            '#002a2e': 'dark teal | deep teal',
            '#0b3533': 'dark green | deep green',
            '#361b34': 'plum | dark plum',
            '#1c1f27': 'black | nearly black',
            '#1d1a2a': 'black | nearly black',
        },
        'surface': {
            'banded': 'stripes | bands',
            'belted': 'a belt | a belt around it',
            'cratered': 'craters | round craters',
            'swirl': 'swirls | swirling clouds',
            'cap': 'a pale cap | a cap of ice',
            'spotted': 'spots | a few spots',
            'marbled': 'dark patches | a marbled surface',
            'cracked': 'cracks | a cracked surface',
            'terra': 'pale continents | continents',
            'speckled': '',  # as none of these at 32 pixels
        },
        'ring': {
            'thin': 'a thin ring | one thin ring',
            'double': 'a double ring | two fine rings',
            'bold': 'a broad ring | a thick ring',
        },
        'moons': {
            'one': 'a moon | one moon',
            'two': 'two moons | a pair of moons',
            'tiny': 'a tiny moon | one tiny moon',
        },
    },
)
