"""New pictures, each with its latent; or new music, drawings and texts."""

import numpy as np

from gan_vae import images
from gan_vae.art import aggregate, conditions, latents, sequences, sheets
from gan_vae.art.tools import Flag, ModelRequest, Picture, Result, ToolWithModel
from gan_vae.errors import UserError
from gan_vae.methods import prompting, sampling
from gan_vae.methods.contract import Law, required

NUM = 16
NUMBERED = 100  # pictures on a sheet with their numbers, at most
TRUNCATION = (
    'latents drawn again until within +- this; of stylegan2, distance of styles to '
    'their mean, times this'
)
LAW = 'guidance', 'top_k', 'top_p'
AGGREGATE = "or of a VAE 'aggregate': of codes of training images"


def make(request: ModelRequest) -> Result:
    model, flags = request.model, request.flags
    method, word, num = model.method, vars(flags)['class'], flags.num
    sampling.check(flags.seed, num, flags.truncation, flags.temperature)
    prompted = flags.prompt or any(vars(flags)[name] is not None for name in LAW)
    changed = flags.pairs or flags.truncation is not None or flags.latents != 'prior'
    if model.kind != 'images':
        if changed or word or prompted:
            raise UserError(
                '--pairs, --truncation, --class, --latents, --prompt and its like are '
                'of images; python -m gan_vae.art write has --begin'
            )
        law = flags.seed, num, flags.temperature
        return Result(sequences=sequences.draw(method, model.weights, *law))
    law = Law(flags.guidance, None, flags.top_k, flags.top_p)
    if law != Law():
        required(method, 'code_prior', '--guidance, --top_k or --top_p')
    asked, messages = conditions.asked(request)
    if method.code_prior:
        law = law._replace(temperature=flags.temperature)
        return _by_codes(request, asked, messages, law)
    if method.latents is None:  # pictures that are no function of a latent
        if changed:
            raise UserError(
                f'--pairs, --truncation and --latents: {model.workdir} has no latents'
            )
        temperature = flags.temperature
        samples = sampling.draw(
            method, model.weights, flags.seed, num, temperature=temperature
        )
        return Result(pictures=[Picture(image) for image in samples])
    z, metrics = _latents(request, messages)
    labels, columns = asked, None
    if labels is None and (labels := _conditions(request)) is not None:
        columns = images.columns(method.classes)
    if flags.truncation is not None and method.latents.styles:
        z = sampling.styles(method, model.weights, z, labels, flags.truncation)
        model = latents.styled(model)
    pictures = latents.pictures(model, z, labels, request.progress)
    small = num <= NUMBERED
    sheet = sheets.numbered([p.image for p in pictures], columns) if small else None
    return Result(pictures=pictures, sheet=sheet, messages=messages, metrics=metrics)


def _conditions(request: ModelRequest) -> np.ndarray | None:
    """Those of pictures of which nothing is said; the two of a pair are of one."""
    flags, method = request.flags, request.model.method
    if not flags.pairs:
        return sampling.conditions(method, flags.seed, flags.num)
    rows = sampling.conditions(method, flags.seed, (flags.num + 1) // 2)
    return None if rows is None else np.repeat(rows, 2, 0)[: flags.num]


def _by_codes(
    request: ModelRequest, asked: np.ndarray | None, messages: list[str], law: Law
) -> Result:
    """Of a prior over codes: by words, by class, or by what it was trained on."""
    model, flags, num = request.model, request.flags, request.flags.num
    method = model.method
    if flags.pairs or flags.truncation is not None or flags.latents != 'prior':
        raise UserError(
            f'--pairs, --truncation and --latents: {model.workdir} has no latents'
        )
    columns = None if asked is not None else images.columns(method.classes)
    if asked is None:
        asked = sampling.conditions(method, flags.seed, num)
    words = None if asked is None else prompting.words_of(method, asked)
    samples = prompting.draw(method, model.weights, flags.seed, num, words, law)
    records = conditions.records(model, asked, num)
    pictures = [
        Picture(image, provenance=record)
        for image, record in zip(samples, records, strict=True)
    ]
    sheet = sheets.numbered(list(samples), columns) if num <= NUMBERED else None
    return Result(pictures=pictures, sheet=sheet, messages=messages)


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
        'truncation': Flag(None, float, TRUNCATION),
        'temperature': Flag(None, float, 'factor of the deviations of latents'),
        'guidance': Flag(None, float, 'of codes: how much words or class count, as 2'),
        'top_k': Flag(None, int, 'of codes: only so many of the likeliest; 0 is all'),
        'top_p': Flag(None, float, 'of codes: the likeliest of so much probability'),
        'pairs': Flag(False, bool, 'z and -z beside each other'),
        'latents': Flag('prior', str, AGGREGATE, choices=('prior', 'aggregate')),
    }
    | conditions.FLAGS,
    kinds=('images', 'rolls', 'strokes', 'text'),
)
