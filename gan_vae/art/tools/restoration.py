"""Pictures with a part of them missing, small, noisy, blurred or grey, as a model that
knows such pictures would have them.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from gan_vae import images
from gan_vae.art import inversion, latents, sheets
from gan_vae.art.degradations import Degradation
from gan_vae.art.tools import Asked, Flag, Made, Picture, Tool, at_least
from gan_vae.art.tools.projection import SEARCH, starts_of
from gan_vae.data.pictures import (
    Fit,
    Unusable,
    fit,
    is_transparent,
    open_picture,
    upright,
)
from gan_vae.errors import UserError

PLAUSIBLE = 'plausible, not recovered: nobody can know what was there'
LEVELS = 255 / 2  # of a picture in [-1, 1], to one unit


def restored(
    asked: Asked,
    how: Degradation,
    seen: np.ndarray,
    mask: np.ndarray | None = None,
    noise: float = 2.0,
) -> Made:
    """What the model makes of what is seen, [H, W, C] in [-1, 1]: the best, samples of
    what else it may be, their mean and how far they differ.

    noise: deviation of what is seen, in 255ths.
    """
    run, flags = asked.run, asked.flags
    at_least(flags, 0, 'num')
    starts, labels = starts_of(asked)
    method, state = run.method, run.state
    best = inversion.invert(
        method.decode,
        state,
        seen,
        starts,
        how,
        mask,
        labels,
        flags.steps,
        track=asked.steps,
    )
    z = best.z[:1]
    label = None if labels is None else labels[best.order[:1]]

    def whole(z, labels):
        x = method.decode(state, z, labels)
        if noise <= 2.0:  # what is seen stands as it is seen
            x = how.consistent(x, seen, mask)
        return images.to_uint8(x)

    first = whole(z, label)[0]
    made, words = [Picture(first, 'best')], ['best']
    if flags.num:
        # a model is never quite right: what it leaves of y counts as noise
        rest = how.seen(method.decode(state, z, label), mask)
        deviation = np.sqrt((noise / LEVELS) ** 2 + float(np.mean((rest - seen) ** 2)))
        begin = np.repeat(z, flags.num, 0)
        label = None if label is None else np.repeat(label, flags.num)
        z, accepted = inversion.posterior(
            method.decode,
            state,
            seen,
            begin,
            deviation,
            how,
            mask,
            label,
            seed=flags.seed,
            track=asked.steps,
        )
        samples = whole(z, label)
        made += [Picture(s, f'sample{n}') for n, s in enumerate(samples)]
        mean, apart = samples.mean(0), samples.std(0)
        made.append(Picture(np.round(mean).astype(np.uint8), 'mean'))
        bright = np.clip(4 * apart.mean(-1, keepdims=True), 0, 255).astype(np.uint8)
        made.append(Picture(np.repeat(bright, mean.shape[-1], -1), 'deviation-times-4'))
        words += [f'sample {n}' for n in range(flags.num)] + ['mean', 'deviation x 4']
    given = _shown(seen, mask, first.shape)
    sheet = sheets.labelled(
        [given, *(p.image for p in made)], min(4, len(made) + 1), ['seen', *words]
    )
    said = [PLAUSIBLE]
    found = {'loss': float(best.loss[0])}
    if flags.num:
        found['accepted'] = accepted
    return Made(made, sheet=sheet, said=said, found=found)


def _shown(seen: np.ndarray, mask, shape) -> np.ndarray:
    """What is seen as a picture of that shape; holes are grey."""
    if mask is not None:
        seen = np.where(mask > 0, seen, 0.0)
    picture = images.to_uint8(seen)
    picture = picture.repeat(shape[0] // len(picture), 0)
    picture = picture.repeat(shape[1] // picture.shape[1], 1)
    return np.broadcast_to(picture, shape)


def _read(asked: Asked, size: int | None = None) -> np.ndarray:
    """The picture that is given, as the run takes it or smaller, in [-1, 1]."""
    picture = latents.read(asked.things[0].word, asked.run, size)
    return np.asarray(images.from_uint8(picture))


def inpaint(asked: Asked) -> Made:
    word, flags, settings = asked.things[0].word, asked.flags, asked.run.config.data
    try:
        picture = upright(open_picture(word))
    except Unusable as error:
        raise UserError(f'{word}: {error}') from error
    if bool(flags.mask) + bool(flags.box) > 1:
        raise UserError('--mask and --box both say what is missing: take one')
    if flags.mask:
        try:
            hole = upright(open_picture(flags.mask)).convert('L')
        except Unusable as error:
            raise UserError(f'--mask={flags.mask}: {error}') from error
        if hole.size != picture.size:
            raise UserError(
                f'--mask={flags.mask} is {hole.width}x{hole.height}, and {word} is '
                f'{picture.width}x{picture.height}: make them of one size'
            )
        hole = hole.point(lambda level: 255 * (level > 127))
    elif flags.box:
        hole = Image.new('L', picture.size)
        hole.paste(255, _box(flags.box, picture.size))
    elif is_transparent(picture):
        alpha = picture.convert('RGBA').getchannel('A')
        hole = alpha.point(lambda level: 255 * (level < 128))
    else:
        raise UserError(
            f'{word} has no transparent part: say by --mask=FILE (white is missing) or '
            '--box=X,Y,WIDTH,HEIGHT what is to be filled'
        )
    if not hole.getbbox():
        raise UserError(
            'nothing is missing: the mask has no white, or the alpha is full'
        )
    seen = _read(asked)
    how = Fit(settings.image_size, 1, settings.fit, 'black')
    mask = (fit(hole, how) == 0).astype(np.float32)
    if not mask.any():
        raise UserError('everything is missing: leave something to be seen')
    return restored(asked, Degradation('hole'), seen * mask, mask)


def _box(text: str, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of X,Y,WIDTH,HEIGHT within a picture."""
    try:
        x, y, width, height = map(int, text.split(','))
    except ValueError:
        x = y = width = height = -1
    inside = 0 <= x < x + width <= size[0] and 0 <= y < y + height <= size[1]
    if not inside:
        raise UserError(
            f'--box={text}: give X,Y,WIDTH,HEIGHT within {size[0]}x{size[1]} pixels'
        )
    return x, y, x + width, y + height


def upscale(asked: Asked) -> Made:
    size, factor = asked.run.config.data.image_size, asked.flags.factor
    if factor < 2 or size % factor:
        raise UserError(
            f'--factor={factor}: must divide the {size} pixels of the model'
        )
    seen = _read(asked, size // factor)
    return restored(asked, Degradation('small', factor), seen)


def denoise(asked: Asked) -> Made:
    at_least(asked.flags, 0, 'sigma')
    return restored(
        asked, Degradation('whole'), _read(asked), noise=max(3.0, asked.flags.sigma)
    )


def deblur(asked: Asked) -> Made:
    radius, size = asked.flags.radius, asked.run.config.data.image_size
    if not 0.1 <= radius <= size:
        raise UserError(f'--radius={radius:g}: must be from 0.1 to {size}')
    how = Degradation('blurred', radius=radius)
    return restored(asked, how, _read(asked))


def colourise(asked: Asked) -> Made:
    if asked.run.config.data.channels != 3:
        raise UserError('colourise asks for a model of colours')
    grey = np.asarray(Degradation('grey').seen(_read(asked)[None]))[0]
    return restored(asked, Degradation('grey'), grey)


def _tool(says: str, make: Callable, flags: dict) -> Tool:
    num = {'num': Flag(4, int, 'samples of what else it may be; 0: the best alone')}
    says = f'{says}: plausible, not recovered'
    return Tool(says, make, 'PICTURE', flags | num | SEARCH)


TOOLS = {
    'inpaint': _tool(
        'fills what is transparent, or marked by a mask or a box',
        inpaint,
        {
            'mask': Flag('', str, 'a picture of the same size: white is missing', True),
            'box': Flag('', str, 'X,Y,WIDTH,HEIGHT of what is missing, in pixels'),
        },
    ),
    'upscale': _tool(
        'a small picture in the size of the model',
        upscale,
        {'factor': Flag(2, int, 'how many times larger')},
    ),
    'denoise': _tool(
        'takes noise away',
        denoise,
        {'sigma': Flag(25.0, float, 'deviation of the noise, in 255ths')},
    ),
    'deblur': _tool(
        'makes sharp',
        deblur,
        {'radius': Flag(1.5, float, 'deviation of the Gaussian blur, in pixels')},
    ),
    'colourise': _tool('gives colours to a grey picture', colourise, {}),
}
