"""Settings of the data. Sizes are in pixels, lengths of sequences in steps."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, number, switch, text


@dataclass(frozen=True)
class Settings:
    """Section `data`."""

    name: str = text(
        'emoji', 'a reader (PREFIX:REST where it takes one), or a TFDS set'
    )
    dir: str = text(
        '',
        "folder of TFDS data; '' is $TFDS_DATA_DIR, else ~/tensorflow_datasets",
        resumable=True,
    )
    split: str = text('train', "what to train on; a folder is split 80/10/10, or 'all'")
    eval_split: str = text('test', 'what eval/ metrics are computed on')
    categories: str = text('', "classes to keep, with commas between them; '' is all")
    image_size: int = number(
        32, 'images are fitted to this square', least=8, below=4097
    )
    channels: int = number(3, 'colour, or grey', one_of=(1, 3))
    fit: str = choice('crop', 'crop', 'pad', says='what makes a picture square')
    background: str = text('white', 'under transparent pixels, and in the padding')
    batch_size: int = number(
        64, 'examples of one update, over all devices', least=1, below=2**20
    )
    flip: bool = switch(False, 'random horizontal flip')
    shift: int = number(0, 'random shift of at most so many pixels', least=0)
    transpose: int = number(0, 'rolls: random, at most so many semitones', least=0)
    stretch: float = number(
        0.0, 'strokes: random, each direction by at most this share', least=0, below=1
    )
    binarize: str = choice(
        'none',
        *('none', 'dynamic', 'threshold'),
        says="'dynamic' draws x ~ Bernoulli(grey), 'threshold' is grey >= 1/2",
    )
    segment_steps: int = number(
        0, 'sequences: train on pieces of so many steps; 0 is whole ones', least=0
    )
    text: str = choice(
        'none',
        *('none', 'words', 'factors', 'minilm'),
        says='of an image: the words of its caption, or its class and factors; or its '
        'words by an encoder that is trained on other texts',
    )
    storage: str = choice(
        'memory',
        *('memory', 'stream'),
        says="uint8 in memory, or read from a cache on disk ('stream')",
        resumable=True,
    )
    memory_gb: float = number(
        4.0, "budget of 'memory'; larger sets must stream", least=0, resumable=True
    )
