"""python -m gan_vae.evaluation SAMPLES REFERENCE [--metrics=swd,kid_random] [--num=N]
                              [--size=32] [--seed=0]
       python -m gan_vae.evaluation report RUN [RUN ...] [--out=report.html]

Scores the output of any generator of any framework. SAMPLES and REFERENCE are each a
folder of pictures, zip:FILE, a .npz or .npy file of uint8 arrays [n, H, W, C], or a
prepared set with its split, as cifar10:test. All pictures are made --size pixels a
side, by default the most common size of the reference: the middle square of one that is
not square, resized; the card states it. The metrics cas and intra_... match the classes
of SAMPLES (subfolders, or the second array of a .npz) to those of REFERENCE by name.
`report` compares run folders on one page.
"""

import argparse
import sys

import numpy as np

from gan_vae import extractors, interrupt
from gan_vae.errors import UserError, counted
from gan_vae.evaluation import plan
from gan_vae.flags import Flag, read, unknown_flag

FLAGS = {
    'help': Flag(bool, False, 'print the usage'),
    'metrics': Flag(str, 'swd', 'of the samples'),
    'num': Flag(int, 0, 'of the samples, drawn at random; 0: all'),
    'size': Flag(
        int, 0, 'pixels a side; 0: the most common of files, first of the reference'
    ),
    'seed': Flag(int, 0, 'of subsets and projections'),
    'out': Flag(str, 'report.html', 'the page of `report`'),
}


def parse(argv: list[str]) -> argparse.Namespace:
    def fail(message: str):
        raise UserError(f'{message}; see python -m gan_vae.evaluation --help')

    values, places = read(FLAGS, argv, fail)
    if unknown := [word for word in places if word.startswith('-')]:
        fail(unknown_flag(unknown[0], FLAGS))
    report = places[:1] == ['report']
    for name in values.keys() - {'help'}:
        if (name == 'out') != report:
            fail(f'--{name} has no meaning here')
    defaults = {name: flag.default for name, flag in FLAGS.items()}
    flags = argparse.Namespace(**defaults | values, places=places)
    for name in ('num', 'size', 'seed'):
        if getattr(flags, name) < 0:
            fail(f'--{name}={getattr(flags, name)}: must not be negative')
    if flags.seed >= 2**32:
        fail(f'--seed={flags.seed}: must be below 2**32')
    if len(places) != 2 and not flags.help and not report:
        got = counted(len(places), 'place')
        fail(f'takes samples and a reference, got {got} (a run: --workdir=RUN)')
    return flags


def score(
    samples: str,
    reference: str,
    metrics: str = 'swd',
    num: int = 0,
    size: int = 0,
    seed: int = 0,
) -> dict:
    """{title: Card} of one set of pictures against another.

    samples, reference: places as places.py describes; metrics: as plan.py does; num: of
    the samples, drawn at random, 0 for all; size: pixels a side, 0 for the most common
    of the reference, or of the samples if the reference is a set that has no size of
    its own. Raises UserError.
    """
    from gan_vae.devices import process
    from gan_vae.devices.mesh import mesh_of
    from gan_vae.evaluation import by_class, comparison, panel, places

    requests = plan.parse(metrics)
    if not requests:
        raise UserError(f'--metrics={metrics} names none, as swd,kid_random does')
    of_classes = [request.name for request in requests if request.needs_classes]
    process.prepare()
    fake_place, real_place = (places.opened(text) for text in (samples, reference))
    size = size or real_place.common_size or fake_place.common_size or 32
    fake, real = (places.examples(place, size) for place in (fake_place, real_place))
    if num > fake.size:
        raise UserError(f'--num={num}: {samples} has {counted(fake.size, "picture")}')
    for text, examples in ((samples, fake), (reference, real)):
        if examples.note:
            print(f'{text}: {examples.note}', file=sys.stderr)
    images, labels = fake.images, None
    if of_classes:
        if fake_place.arrays and not real_place.arrays:  # its classes are numbers
            fake = by_class.numbered(fake, real, samples)
        labels = by_class.matched(fake, real, (samples, reference), of_classes)
    if num:
        rows = np.sort(comparison.random_rows(len(images), num, seed))
        images, labels = images[rows], labels if labels is None else labels[rows]
    train = held_out = None
    if real_place.is_prepared:
        name = real_place.text.partition(':')[0]
        networks = {r.argument for r in requests.of_samples} - {''}
        if any(extractors.facts(network).get('examples') for network in networks):
            train = places.examples(real_place, size, 'train')
        if any(r.metric.needs_held_out for r in requests.of_samples):
            test = places.examples(real_place, size, 'test')
            held_out = panel.Pictures(f'{name}:test', test)
    compared = panel.Panel(
        requests,
        panel.Pictures(real_place.name, real),
        mesh_of(1, 1),
        held_out,
        train,
        seed,
    )
    fit, of_real = fake_place.fit(size), real_place.fit(size)
    if fit != of_real:
        fit = f'samples {fit}, reference {of_real}'
    flags = fake_place.flags('samples') + real_place.flags('reference pictures')
    return compared.measure(
        images,
        {'pictures': fake_place.name},
        f'uint8 of {size} px, {fit}',
        labels,
        flags=flags,
    )


def main(argv: list[str]) -> int:
    try:
        flags = parse(argv)
        if flags.help or not flags.places:
            print(__doc__)
        elif flags.places[0] == 'report':
            from gan_vae.evaluation import report

            print(report.write(flags.places[1:], flags.out))
        else:
            cards = score(
                *flags.places, flags.metrics, flags.num, flags.size, flags.seed
            )
            for card in cards.values():
                print(card.line())
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    interrupt.command(main)
