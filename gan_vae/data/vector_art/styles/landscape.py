"""landscape: four hills, the first the farthest, under a sky with or without a sun.

The outlines of the hills are factors and have no words: they differ too little.
"""

from gan_vae.data.vector_art.words import Words

WORDS = Words(
    factors=(
        *('orb', 'orbColor', 'backgroundColor'),
        *('hill1', 'hill2', 'hill3', 'hill4'),
        *('hill1Color', 'hill2Color', 'hill3Color', 'hill4Color'),
    ),
    held_out=('hill1Color', 'hill2Color'),
    heads=(
        'a landscape',
        'hills',
        'a hilly landscape',
        'a view over hills',
    ),
    parts=(
        ('{orb}',),
        ('a {hill1Color} hill at the back', 'the farthest hill {hill1Color}'),
        ('a {hill2Color} hill second from the back', 'the second hill {hill2Color}'),
        ('a {hill3Color} hill second from the front', 'the third hill {hill3Color}'),
        ('a {hill4Color} hill in front', 'the nearest hill {hill4Color}'),
    ),
    grounds=('under a {backgroundColor} sky', 'below a {backgroundColor} sky'),
    names={
        'backgroundColor': {
            '#e1f3ff': 'pale blue | light blue',
            '#d5f3ff': 'pale blue | light blue',
            '#d6f8fb': 'pale blue | light blue',
            '#daecff': 'pale blue | light blue',
            '#faf0d2': 'cream | pale yellow',
            '#ffebd5': 'peach | pale orange',
            '#ffe7dd': 'peach | pale orange',
            '#ffe4e1': 'pink | pale pink',
            '#f0e9ff': 'lavender | pale lavender',
            '#f0f3e8': 'pale grey | off-white',
        },
        'orb': {
            'sun': 'a {orbColor} sun | a full {orbColor} sun',
            'ring': 'a {orbColor} ring for a sun | a hollow {orbColor} sun',
            'glow': 'a glowing {orbColor} sun | a {orbColor} sun with a halo',
        },
        'orbColor': {
            '#e9c944': 'yellow | golden',
            '#f8b734': 'yellow | golden',
            '#fea247': 'orange | bright orange',
            '#fd9565': 'orange | bright orange',
            '#ffaf78': 'peach | light orange',
            '#f58d79': 'coral | salmon',
        },
        'hill1Color': {
            '#a8cde8': 'pale blue | light blue',
            '#a5ccd8': 'pale blue | light blue',
            '#b0d2b0': 'pale green | light green',
            '#becb9c': 'pale green | light green',
            '#dac99e': 'sand | sandy',
            '#e2bc9e': 'tan | peach',
            '#e2beb2': 'tan | peach',
            '#a3d2ce': 'pale teal | light teal',
        },
        'hill2Color': {
            '#84ae85': 'green | sage green',
            '#92a86d': 'green | sage green',
            '#b3a15e': 'khaki | mustard',
            '#a1a368': 'khaki | mustard',
            '#c38f65': 'clay | light brown',
            '#c89381': 'clay | light brown',
            '#76a5c6': 'blue | dusty blue',
            '#62adad': 'teal | sea green',
        },
        'hill3Color': {
            '#508659': 'green | forest green',
            '#6b8143': 'olive | olive green',
            '#827d3e': 'olive | olive green',
            '#987431': 'ochre | golden brown',
            '#a26144': 'brick | reddish brown',
            '#9e6258': 'brick | reddish brown',
            '#507ca1': 'blue | steel blue',
            '#31868a': 'teal | deep teal',
        },
        'hill4Color': {
            '#2c5837': 'dark green | deep green',
            '#445423': 'dark olive | moss green',
            '#5c531c': 'dark olive | moss green',
            '#684821': 'brown | dark brown',
            '#6a3c2c': 'maroon | dark reddish brown',
            '#673d3d': 'maroon | dark reddish brown',
            '#30506f': 'navy | dark blue',
            '#05585f': 'dark teal | deep teal',
        },
    },
)
