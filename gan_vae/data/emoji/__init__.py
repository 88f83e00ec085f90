"""The embedded set: 1,636 Noto emoji, 32x32 on white, in 8 categories.

One sheet of a 256-colour palette and one table, both written by
`gan_vae/data/emoji/build.py`. Pictures by Google, Apache-2.0 (see NOTICE).
"""

import json
from importlib import resources

import numpy as np
from PIL import Image

from gan_vae.data.pictures import Fit, fit_array
from gan_vae.data.source import Examples
from gan_vae.errors import UserError, unknown

SPLITS = ('train', 'validation', 'test')


def load(split: str) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """(images uint8 [N, 32, 32, 3], labels int32 [N], names [N], categories).

    `split` is 'train', 'validation', 'test', 'all', or a join such as 'train+test'; the
    order is the sheet's. A UserError names the splits if it is something else.
    """
    wanted = SPLITS if split == 'all' else split.split('+')
    for name in wanted:
        if name not in SPLITS:
            raise unknown('split of emoji', name, [*SPLITS, 'all'])
    folder = resources.files(__name__)
    table = json.loads((folder / 'emoji.json').read_text('utf-8'))
    with (folder / 'emoji.png').open('rb') as file:
        sheet = np.asarray(Image.open(file, formats=['PNG']).convert('RGB'))
    cell, columns = table['cell'], table['columns']
    cells = sheet.reshape(-1, cell, columns, cell, 3).swapaxes(1, 2)
    cells = cells.reshape(-1, cell, cell, 3)
    items = table['items']
    chosen = [i for i, item in enumerate(items) if item['split'] in wanted]
    labels = np.array([items[i]['category'] for i in chosen], np.int32)
    names = [items[i]['name'] for i in chosen]
    return cells[chosen], labels, names, table['categories']


def examples(split: str, how: Fit) -> Examples:
    """The same as a set for training, fitted to `how`."""
    images, labels, names, categories = load(split)
    if how.size > images.shape[1]:
        raise UserError(
            f'config.data.image_size={how.size}: the embedded emoji are 32x32; for 64 '
            'run `python -m gan_vae.data.prepare noto_emoji` and set '
            'config.data.name=noto_emoji'
        )
    images = np.stack([fit_array(image, how) for image in images])
    return Examples(images, labels, tuple(categories), tuple(names))
