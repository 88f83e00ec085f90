"""gaze: a shape with two eyes, a little turned and scaled from picture to picture.

Its background is that of the config.
"""

from gan_vae.data.vector_art.words import Words

WORDS = Words(
    factors=('shape', 'bodyColor', 'spacing', 'eyes'),
    held_out=('shape', 'bodyColor'),
    heads=(
        'a {bodyColor} {shape}',
        'a {shape} in {bodyColor}',
        'one {bodyColor} {shape}',
        'a {bodyColor} {shape} looking out',
    ),
    parts=(('{eyes}',), ('{spacing}',)),
    names={
        'bodyColor': {
            '#fbabaf': 'pink | salmon',
            '#fbb271': 'orange | light orange',
            '#9bd78d': 'green | light green',
            '#52dcd8': 'turquoise | aqua',
            '#9cc8fb': 'blue | light blue',
            '#d8b1fb': 'lilac | light purple',
        },
        'shape': {
            'circle': 'circle | disc',
            'square': 'square | rounded square',
            'triangle': 'triangle | rounded triangle',
            'pentagon': 'pentagon | five-sided shape',
            'hexagon': 'hexagon | six-sided shape',
            'octagon': 'octagon | eight-sided shape',
            'diamond': 'diamond | square on its corner',
            'pill': 'pill | wide pill',
            'column': 'column | upright pill',
            'egg': 'egg | oval',
            'arch': 'arch | arched door shape',
        },
        'spacing': {
            'close': 'the eyes close together | the eyes side by side',
            'snug': '',
            'normal': '',
            'wide': '',
            'far': 'the eyes far apart | the eyes wide apart',
        },
        'eyes': {
            'dots': 'round black eyes | dots for eyes',
            'big': 'big black eyes | large round eyes',
            'small': 'small black eyes | tiny eyes',
            'shine': 'shining eyes | eyes with a white glint',
            'beans': 'bean-shaped eyes | upright bean eyes',
            'bars': 'flat eyes | bars for eyes',
            'wide': 'wide oval eyes | oval eyes lying down',
            'tall': 'tall oval eyes | upright oval eyes',
            'happy': 'happy arched eyes | smiling eyes',
            'grin': 'happy arched eyes | smiling eyes',
            'squint': 'happy arched eyes | smiling eyes',
        },
    },
)
