"""New pictures, each with its latent; or new music and drawings."""

import numpy as np

from gan_vae import images
from gan_vae.art import aggregate, latents, sequences, sheets
from gan_vae.art.tools import Flag, ModelRequest, Picture, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.methods import sampling

NUM = 16
NUMBERED = 100  # pictures on a sheet with their numbers, at most
TRUNCATION = (
    'latents drawn again until within +- this; of stylegan2, distance of styles to '
    'their mean, times this'
)
AGGREGATE = "or of a VAE 'aggregate': of codes of training images"


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    method, word, num = model.method, vars(flags)['class'], flags.num
    sampling.check(flags.seed, num, flags.truncation, flags.temperature)
    changed = flags.pairs or flags.truncation is not None or flags.latents != 'prior'
    if model.kind != 'images':
        if changed or word:
            raise UserError(
                '--pairs, --truncation, --class and --latents are of images'
            )
        law = flags.seed, num, flags.temperature
        return Result(sequences=sequences.draw(method, model.weights, *law))
    labels, columns, messages = None, None, []
    if word:
        labels = sampling.class_id(model.classes, word)
        messages = sampling.class_message(model.classes, word, labels)
    if method.latents is None:  # pictures that are no function of a latent
        if changed or flags.temperature is not None:
            raise UserError(
                f'--pairs, --truncation, --temperature and --latents: {model.workdir} '
                'has no latents'
            )
        samples = sampling.draw(method, model.weights, flags.seed, num)
        return Result(pictures=[Picture(image) for image in samples])
    z, metrics = _latents(request, messages)
    if labels is None and method.classes:
        # the two of a pair are of one class
        labels = np.arange(num) // (2 if flags.pairs else 1) % method.classes
        columns = images.columns(method.classes)
    if flags.truncation is not None and method.latents.styles:
        law = z, labels, flags.truncation
        z = sampling.styles(method, model.weights, *law)
        model = latents.styled(model)
    pictures = latents.pictures(model, z, labels, request.progress)
    small = num <= NUMBERED
    sheet = sheets.numbered([p.image for p in pictures], columns) if small else None
    return Result(pictures=pictures, sheet=sheet, messages=messages, metrics=metrics)


def _latents(request: ModelRequest, messages: list[str]) -> tuple[np.ndarray, dict]:
    """The latents [num, D], and what is known of their law."""
    model, flags, num = request.model, request.flags, request.flags.num
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
    # that of styles is of the generator, not of the prior
    truncation = None if model.method.latents.styles else flags.truncation
    law = truncation, flags.temperature
    count = (num + 1) // 2 if flags.pairs else num
    z = sampling.latents(model.method, flags.seed, count, *law)
    if flags.pairs:
        z = np.stack([z, -z], 1).reshape(-1, *z.shape[1:])[:num]
    return z, {}


TOOL = ToolWithModel(
    make=make,
    flags={
        'num': Flag(NUM, int, 'how many'),
        'class': Flag('', str, 'a name, or #N; by default each in turn'),
        'truncation': Flag(None, float, TRUNCATION),
        'temperature': Flag(None, float, 'factor of the deviations of latents'),
        'pairs': Flag(False, bool, 'z and -z beside each other'),
        'latents': Flag('prior', str, AGGREGATE, choices=('prior', 'aggregate')),
    },
    kinds=('images', 'rolls', 'strokes'),
)
