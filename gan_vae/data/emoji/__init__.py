"""The embedded set: 1,636 Noto emoji, 32x32 on white, in 8 categories.

One sheet of a 256-colour palette and one table, both written by
`gan_vae/data/emoji/build.py`. Pictures by Google, Apache-2.0 (see NOTICE).
"""

import json
from importlib import resources

import numpy as np
from PIL import Image

from gan_vae.data.splits import joined


def load(split: str) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """(images uint8 [N, 32, 32, 3], labels int32 [N], names [N], categories).

    `split` is 'train', 'validation', 'test', 'all', a join such as 'train+test', or a
    slice such as 'train[:64]', which is spread over its split; the order is the
    sheet's. A UserError names the splits if it is something else.
    """
    wanted, most = joined('emoji', split)
    folder = resources.files(__name__)
    table = json.loads((folder / 'emoji.json').read_text('utf-8'))
    with (folder / 'emoji.png').open('rb') as file:
        sheet = np.asarray(Image.open(file, formats=['PNG']).convert('RGB'))
    cell, columns = table['cell'], table['columns']
    cells = sheet.reshape(-1, cell, columns, cell, 3).swapaxes(1, 2)
    cells = cells.reshape(-1, cell, cell, 3)
    items = table['items']
    chosen = [i for i, item in enumerate(items) if item['split'] in wanted]
    if most is not None:  # of all categories alike
        count = min(most, len(chosen))
        chosen = [chosen[i * len(chosen) // count] for i in range(count)]
    labels = np.array([items[i]['category'] for i in chosen], np.int32)
    names = [items[i]['name'] for i in chosen]
    return cells[chosen], labels, names, table['categories']
