"""python -m gan_vae.evaluation SAMPLES REFERENCE [--metrics=swd,kid_random] [--num=N]
                              [--size=32] [--seed=0]
       python -m gan_vae.evaluation report RUN [RUN ...] [--out=report.html]

SAMPLES and REFERENCE are folders of pictures, or prepared sets as cifar10:test, so that
the output of any generator of any framework can be scored. Pictures of other sizes are
resized to --size (by default the first sample's). The measures cas and intra_… match
the subfolders of SAMPLES, one a class, by name to the classes of REFERENCE. `report`
compares run folders.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from gan_vae.errors import UserError


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='gan_vae.evaluation', usage=__doc__, add_help=False, allow_abbrev=False
    )
    parser.add_argument('--help', '-h', action='store_true')
    parser.add_argument('places', nargs='*')
    words = {'metrics': 'swd', 'out': 'report.html'}
    numbers = {'num': 0, 'size': 0, 'seed': 0}  # 0: all, and as they are
    for name in words | numbers:
        kind = str if name in words else int
        parser.add_argument(f'--{name}', type=kind, default=argparse.SUPPRESS)

    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.evaluation --help')

    parser.error = fail
    flags = parser.parse_args(argv)
    report = flags.places[:1] == ['report']
    for name in vars(flags).keys() & (words | numbers).keys():
        if (name == 'out') != report:
            fail(f'--{name} has no meaning here')
    flags = argparse.Namespace(**words | numbers | vars(flags))
    if not flags.metrics:
        fail('--metrics is empty')
    for name in ('num', 'size', 'seed'):
        if getattr(flags, name) < 0:
            fail(f'--{name}={getattr(flags, name)}: must not be negative')
    if flags.help or report:
        return flags
    if len(flags.places) != 2:
        fail(f'takes samples and a reference, got {len(flags.places)} places')
    return flags


def score(samples: str, reference: str, metrics: str, num: int, size: int, seed: int):
    """{name: Card} of one set of pictures against another."""
    from gan_vae.devices import process
    from gan_vae.devices.mesh import mesh_of
    from gan_vae.evaluation import by_class, panel

    process.prepare()
    of_classes = panel.of_classes(metrics)
    size = size or _size_of(samples) or _size_of(reference) or 32
    fake = pictures(samples, size)
    if of_classes:
        by_class.check_samples(fake, samples, of_classes)
    real = pictures(reference, size)
    if num > len(fake.images):
        raise UserError(f'--num={num}: {samples} has {len(fake.images)} pictures')
    for place, found in ((samples, fake), (reference, real)):
        if found.note:
            print(f'{place}: {found.note}', file=sys.stderr)
    made, labels = fake.images, None
    if of_classes:
        labels = by_class.matched(fake, real, (samples, reference), of_classes)
    if num:
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(made))
        rows = np.sort(order[:num])
        made, labels = made[rows], labels if labels is None else labels[rows]
    train = held = None
    if 'classifier' in metrics and ':' in reference:
        train = pictures(reference.partition(':')[0] + ':train', size)
    if 'originality' in metrics:
        if ':' not in reference:
            raise UserError('originality needs a reference with a held-out test split')
        held_name = reference.partition(':')[0] + ':test'
        held = panel.Pictures(held_name, pictures(held_name, size))
    compared = panel.Panel(
        metrics, panel.Pictures(reference, real), mesh_of(1, 1), held, train, seed
    )
    fitted = f'uint8 as stored, fitted to {size} px'
    return compared.measure(made, {'pictures': samples}, fitted, labels)


def pictures(place: str, size: int):
    """The Examples of a folder of pictures or of 'name:split' ('all': every split)."""
    from gan_vae import data
    from gan_vae.config import default

    settings = default.get_config().data
    settings.image_size = size
    settings.storage = 'stream'
    if Path(place).expanduser().is_dir():
        settings.name, split = f'folder:{place}', 'all'
    else:
        settings.name, _, split = place.partition(':')
        if not split:
            raise UserError(f'{place!r} is neither a folder nor a set as cifar10:test')
        if (kind := data.kind_of(settings.name)) != 'images':
            raise UserError(f'{place} is of {kind}, and this compares pictures')
        if split == 'all':
            split = 'train+validation+test'
    return data.examples(settings, split)


def _size_of(place: str) -> int:
    """The shorter side of the first picture of a folder; 0 where it is none."""
    from gan_vae.data.pictures import Unusable, open_picture

    folder = Path(place).expanduser()
    for file in sorted(folder.rglob('*')) if folder.is_dir() else ():
        try:
            return min(open_picture(file).size) if file.is_file() else 0
        except Unusable:
            continue
    return 0


def main(argv: list[str]) -> int:
    try:
        flags = parse(argv)
        if flags.help or not flags.places:
            print(__doc__)
        elif flags.places[0] == 'report':
            from gan_vae.evaluation import report

            print(report.write(flags.places[1:], flags.out))
        else:
            found = score(
                *flags.places, flags.metrics, flags.num, flags.size, flags.seed
            )
            for card in found.values():
                print(card.line())
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
