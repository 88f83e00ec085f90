"""New pictures, each with its latent; or new music and drawings."""

import numpy as np

from gan_vae import images
from gan_vae.art import aggregate, latents, sequences, sheets
from gan_vae.art.tools import Flag, ModelRequest, Picture, Result, ToolWithModel
from gan_vae.errors import UserError, unknown
from gan_vae.methods import sampling

NUM = 16
NUMBERED = 100  # pictures on a sheet with their numbers, at most
LATENTS = ('prior', 'aggregate')


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    if flags.latents not in LATENTS:
        raise unknown('--latents', flags.latents, LATENTS)
    num = flags.num
    sampling.check(flags.seed, num, flags.truncation, flags.temperature)
    word = vars(flags)['class']
    if model.kind != 'images':
        pictures_only = (flags.pairs, flags.truncation is not None, word)
        if any(pictures_only) or flags.latents != 'prior':
            raise UserError(
                '--pairs, --truncation, --class and --latents are of images'
            )
        values = sequences.draw(
            model.method, model.weights, flags.seed, num, flags.temperature
        )
        return Result(sequences=values)
    method = model.method
    label = sampling.class_id(model.classes, word) if word else None
    messages = (
        [] if label is None else sampling.class_message(model.classes, word, label)
    )
    if method.latents is None:  # pictures that are no function of a latent
        return Result(pictures=_without_latents(request, num))
    z, metrics = _latents(request, num, messages)
    if label is None and method.classes:
        # the two of a pair are of one class
        labels = np.arange(num) // (2 if flags.pairs else 1) % method.classes
    else:
        labels = None if label is None else np.full(num, label)
    pictures = latents.pictures(model, z, labels, request.progress)
    sheet = None
    if num <= NUMBERED:
        each = images.columns(method.classes) if label is None else None
        columns = each or int(np.ceil(np.sqrt(num)))
        numbers = [f'{n}' for n in range(num)]
        sheet = sheets.labelled([p.image for p in pictures], columns, numbers)
    return Result(pictures=pictures, sheet=sheet, messages=messages, metrics=metrics)


def _latents(request: ModelRequest, num: int, messages: list[str]):
    """The latents [num, D], and what is known of their law."""
    model, flags = request.model, request.flags
    if flags.latents == 'aggregate':
        if vars(flags)['class'] or flags.truncation is not None or flags.pairs:
            raise UserError(
                '--latents=aggregate takes no --truncation, no --class and no --pairs'
            )
        mixture, count = aggregate.of_model(model, flags.seed)
        components = len(mixture.weights)
        messages.append(
            f'{components} Gaussian(s) fitted to {mixture.active.sum()} active units '
            f'of {count} training images: KL to the prior at least '
            f'{mixture.mismatch:.2f} +- {mixture.error:.2f} nats'
        )
        narrow = 1.0 if flags.temperature is None else flags.temperature
        z = aggregate.draw(mixture, flags.seed, num, narrow)
        return z, {'components': components, 'mismatch_nats': mixture.mismatch}
    law = flags.truncation, flags.temperature
    if not flags.pairs:
        return sampling.latents(model.method, flags.seed, num, *law), {}
    z = sampling.latents(model.method, flags.seed, num // 2 + num % 2, *law)
    return np.stack([z, -z], 1).reshape(-1, *z.shape[1:])[:num], {}


def _without_latents(request: ModelRequest, num: int) -> list[Picture]:
    model, flags = request.model, request.flags
    narrowed = flags.truncation is not None or flags.temperature is not None
    if flags.pairs or narrowed or flags.latents != 'prior':
        raise UserError(
            f'--pairs, --truncation, --temperature and --latents: {model.workdir} has '
            'no latents'
        )
    samples = sampling.draw(model.method, model.weights, flags.seed, num)
    return [Picture(image) for image in samples]


TOOL = ToolWithModel(
    make=make,
    flags={
        'num': Flag(NUM, int, 'how many'),
        'class': Flag('', str, 'a name, or #N; by default each in turn'),
        'truncation': Flag(None, float, 'latents drawn again until within +- this'),
        'temperature': Flag(None, float, 'factor of the deviations of latents'),
        'pairs': Flag(False, bool, 'z and -z beside each other'),
        'latents': Flag(
            'prior', str, "or of a VAE 'aggregate': of codes of training images"
        ),
    },
    kinds=('images', 'rolls', 'strokes'),
)
