"""poems:FORM[+FORM...]: Tang poems of 5x4, 7x4, 5x8 or 7x8, by npm; `poems` is all.

Each is a sequence of characters: a symbol for its form, and its lines. The splits are
90/5/5 by the hash of the poem.
"""

from gan_vae.data import poems, prepared, writing
from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.splits import joined
from gan_vae.errors import UserError, unknown

KIND, REST = 'text', 'FORM'
DEFAULT = '+'.join(poems.FORMS)


def load(rest: str, split: str, settings: Settings) -> Sequences:
    """The poems of `split` ('train', 'test', 'train+test', 'all')."""
    forms = rest.split('+')
    for form in forms:
        if form not in poems.FORMS:
            raise unknown('form of poems', form, poems.FORMS)
    folder = prepared.data_dir(settings.dir) / 'downloads'
    if not (folder / poems.PACKAGE.file_name).exists():
        raise UserError(
            f'poems are not prepared in {folder}: python -m gan_vae.data.prepare poems'
        )
    parts, most = joined('poems', split, tuple(poems.SPLITS))
    chosen = [
        poems.written(form, poem)
        for form, those in poems.poems(folder).items()
        if form in forms
        for poem in those
        if any(poems.in_split(poem, part) for part in parts)
    ]
    values = tuple(writing.points(text, ends=True) for text in chosen[:most])
    return Sequences('text', values)
