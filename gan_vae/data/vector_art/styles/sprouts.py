"""sprouts: a plant in a pot with a face. Five of the plants have a bloom."""

from gan_vae.data.vector_art.words import BRIGHT, DEEP, EYES, MOUTHS, Words

WORDS = Words(
    factors=(
        *('plant', 'pot', 'potColor', 'backgroundColor'),
        *('plantColor', 'bloomColor', 'eyes', 'mouth'),
    ),
    held_out=('plant', 'potColor'),
    heads=(
        '{plant} in a {potColor} {pot}',
        'a {potColor} {pot} holding {plant}',
        '{plant}, potted in a {potColor} {pot},',
        'a {pot} in {potColor} planted with {plant}',
    ),
    parts=(('{eyes}',), ('{mouth}',)),
    grounds=('on a {backgroundColor} background', 'against {backgroundColor}'),
    names={
        'potColor': BRIGHT,
        'backgroundColor': DEEP,
        'plantColor': {
            '#4ade80': 'green | leaf green',
            '#34d399': 'emerald | emerald green',
            '#2dd4bf': 'turquoise | teal',
            '#a3e635': 'lime | yellow-green',
            '#86efac': 'mint | pale green',
            '#6ee7b9': 'mint | pale green',
            '#22c55e': 'green | leaf green',
            '#10b981': 'emerald | emerald green',
        },
        'bloomColor': {
            '#f0abfc': 'orchid | light magenta',
            '#fda4af': 'salmon | salmon pink',
            '#fca5a5': 'salmon | salmon pink',
            '#fdba74': 'orange | light orange',
            '#fcd34d': 'yellow | golden yellow',
            '#f9a8d4': 'pink | light pink',
            '#fb7185': 'coral | coral red',
            '#c4b5fd': 'lavender | light purple',
        },
        'plant': {
            'sprout': 'a {plantColor} sprout | a small {plantColor} sprout',
            'seedling': 'a {plantColor} seedling | a single {plantColor} leaf',
            'cactus': 'a {plantColor} cactus | a {plantColor} cactus with two arms',
            'ball': 'a round {plantColor} cactus with a {bloomColor} flower'
            ' | a {plantColor} ball cactus with a {bloomColor} bloom',
            'succulent': 'a {plantColor} succulent | spiky {plantColor} leaves',
            'bush': 'a {plantColor} bush with {bloomColor} dots'
            ' | a {plantColor} shrub dotted with {bloomColor} blooms',
            'tall': 'a tall {plantColor} stem | a {plantColor} stalk',
            'flower': 'a {bloomColor} flower on a {plantColor} stem'
            ' | a {bloomColor} flower with {plantColor} leaves',
            'tulip': 'a {bloomColor} tulip on a {plantColor} stem'
            ' | a {bloomColor} tulip with {plantColor} leaves',
            'palm': 'a {plantColor} palm | a little {plantColor} palm tree',
            'grass': '{plantColor} grass | a few blades of {plantColor} grass',
            'buds': 'two {bloomColor} buds on {plantColor} stems'
            ' | {plantColor} stems with two {bloomColor} buds',
        },
        'pot': {
            'taper': 'tapered pot | slightly tapered pot',
            'cylinder': 'straight pot | square pot',
            'bowl': 'bowl | bowl-shaped pot',
            'tub': 'tub | wide pot',
            'round': 'round pot | ball-shaped pot',
            'bag': 'bag-shaped pot | barrel-shaped pot',
            'rim': 'pot with a rim | rimmed pot',
        },
        'eyes': EYES,
        'mouth': MOUTHS,
    },
)
