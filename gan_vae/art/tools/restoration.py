"""Pictures with a part of them missing, small, noisy, blurred or grey, as a model that
knows such pictures would have them; without a model, at any size, as an untrained
network comes to them.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from gan_vae import images
from gan_vae.art import deep_prior, inversion, latents, sheets
from gan_vae.art.degradations import WHOLE, Blurred, Degradation, Grey, Hole, Small
from gan_vae.art.tools import Asked, Flag, Made, Picture, Tool, at_least
from gan_vae.art.tools.projection import SEARCH, starts_of
from gan_vae.data.pictures import (
    Fit,
    fit,
    given,
    is_transparent,
    opaque,
    within,
)
from gan_vae.errors import UserError

PLAUSIBLE = 'plausible, not recovered: nobody can know what was there'
LEVELS = 255 / 2  # of a picture in [-1, 1], to one unit
NOISE = 2.0  # deviation of what is seen as it is, in 255ths
SIZE, LARGEST = 256, 2048  # pixels of the longer side, without a model
STEPS, SAMPLES = 400, 4  # of a model
DEEP_STEPS = 2000  # without one


def restored(
    asked: Asked,
    how: Degradation,
    seen: np.ndarray,
    mask: np.ndarray | None = None,
    noise: float = NOISE,
) -> Made:
    """What is made of what is seen, [H, W, C] in [-1, 1]: the best, samples of what
    else it may be, their mean and how far they differ.

    noise: deviation of what is seen, in 255ths.
    """
    at_least(asked.flags, 0, 'num', most=1000)
    at_least(asked.flags, 1, 'steps')
    way = _untrained if asked.run is None else _of_model
    made, said, found = way(asked, how, seen, mask, noise)
    names = ['best', *(f'sample{n}' for n in range(len(made) - 1))]
    if len(made) > 1:
        samples = np.stack(made[1:])
        mean, apart = samples.mean(0), samples.std(0)
        bright = np.clip(4 * apart.mean(-1, keepdims=True), 0, 255).astype(np.uint8)
        mean = np.round(mean).astype(np.uint8)
        made += [mean, np.repeat(bright, mean.shape[-1], -1)]
        names += ['mean', 'deviation-times-4']
    shown = [_shown(seen, mask, made[0].shape), *made]
    sheet = sheets.labelled(shown, min(4, len(shown)), ['seen', *names])
    pictures = [Picture(*each) for each in zip(made, names, strict=True)]
    return Made(pictures, sheet=sheet, said=[*said, PLAUSIBLE], found=found)


def _untrained(asked: Asked, how: Degradation, seen, mask, noise):
    """([best, *samples], lines, figures), each by a network of its own."""
    flags = asked.flags
    shape = *(how.factor * n for n in seen.shape[:2]), seen.shape[2]
    made, found = [], {}
    for number in range(1 + (flags.num or 0)):
        best = deep_prior.restore(
            seen,
            shape,
            how,
            mask,
            noise / LEVELS,
            flags.steps or DEEP_STEPS,
            flags.seed + number,
            asked.steps,
        )
        if not best.steps:  # Ctrl-C, in the one before
            break
        made.append(_whole(best.picture[None], how, seen, mask)[0])
        found = found or {'steps': best.steps, 'excess': best.excess}
    end = 'as near as the noise allows'
    if found['excess'] > 1:
        apart = np.sqrt(found['excess'])
        end = f'still {apart:.1f} times as far as the noise: --steps=N for more'
    size = f'{shape[1]}x{shape[0]} pixels'
    return made, [f'{size}, {found["steps"]} steps without a model, {end}'], found


def _whole(x, how: Degradation, seen, mask) -> np.ndarray:
    """uint8 of pictures x; what is seen stands as it is seen."""
    return images.to_uint8(how.consistent(x, seen, mask))


def _of_model(asked: Asked, how: Degradation, seen, mask, noise):
    """([best, *samples], lines, figures)."""
    run, flags = asked.run, asked.flags
    num = SAMPLES if flags.num is None else flags.num
    steps = flags.steps or STEPS
    starts, labels = starts_of(asked)
    method, state = run.method, run.state
    best = inversion.invert(
        method.latents.decode,
        state,
        seen,
        starts,
        how,
        mask,
        labels,
        steps,
        track=asked.steps,
    )
    z = best.z[:1]
    label = None if labels is None else labels[best.order[:1]]

    def whole(z, labels):
        return _whole(method.latents.decode(state, z, labels), how, seen, mask)

    made, found = list(whole(z, label)), {'loss': float(best.loss[0])}
    if num:
        # a model is never quite right: what it leaves of y counts as noise
        rest = how.seen(method.latents.decode(state, z, label), mask)
        deviation = np.sqrt((noise / LEVELS) ** 2 + float(np.mean((rest - seen) ** 2)))
        begin = np.repeat(z, num, 0)
        label = None if label is None else np.repeat(label, num)
        z, accepted = inversion.posterior(
            method.latents.decode,
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
        made += list(whole(z, label))
        found['accepted'] = accepted
    return made, latents.smaller(asked.things[0].word, max(seen.shape[:2])), found


def _shown(seen: np.ndarray, mask, shape) -> np.ndarray:
    """What is seen as a picture of that shape; holes are grey."""
    if mask is not None:
        seen = np.where(mask > 0, seen, 0.0)
    picture = images.to_uint8(seen)
    picture = picture.repeat(shape[0] // len(picture), 0)
    picture = picture.repeat(shape[1] // picture.shape[1], 1)
    return np.broadcast_to(picture, shape)


def read(asked: Asked, factor: int = 1) -> np.ndarray:
    """The picture that is given, in [-1, 1]: of the size of the run's pictures over
    `factor`, or, without a run, its own, but no larger than --size over that."""
    word, run, flags = asked.things[0].word, asked.run, asked.flags
    if run is not None:
        if flags.size is not None:
            raise UserError(
                f'--size={flags.size}: this model makes {run.config.data.image_size} '
                'pixels; --size is for restoring without --workdir'
            )
        picture = latents.read(word, run, run.config.data.image_size // factor)
        return np.asarray(images.from_uint8(picture))
    if flags.restarts != SEARCH['restarts'].default or vars(flags)['class']:
        raise UserError('--restarts and --class are of a model: say --workdir=RUN')
    longest = _longest(flags)
    picture = opaque(given(word), (255, 255, 255))
    if factor > 1 and factor * max(picture.size) > longest:
        raise UserError(
            f'{word} is {picture.width}x{picture.height}, and {factor} times that is '
            f'more than {longest} pixels: --size={factor * max(picture.size)} takes it'
            if factor * max(picture.size) <= LARGEST
            else f'{word} is too large: {factor} times that is over {LARGEST} pixels'
        )
    return images.from_uint8(np.asarray(within(picture, longest)))


def _longest(flags) -> int:
    longest = SIZE if flags.size is None else flags.size
    if not 1 <= longest <= LARGEST:
        raise UserError(f'--size={longest}: must be from 1 to {LARGEST}')
    return longest


def inpaint(asked: Asked) -> Made:
    word, flags = asked.things[0].word, asked.flags
    picture = given(word)
    if bool(flags.mask) + bool(flags.box) > 1:
        raise UserError('--mask and --box both say what is missing: take one')
    if flags.mask:
        hole = given(flags.mask, f'--mask={flags.mask}').convert('L')
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
    seen = read(asked)
    if asked.run is None:
        hole = np.asarray(within(hole, _longest(flags)))[..., None]
    else:
        settings = asked.run.config.data
        hole = fit(hole, Fit(settings.image_size, 1, settings.fit, 'black'))
    mask = (hole == 0).astype(np.float32)
    if not mask.any():
        raise UserError('everything is missing: leave something to be seen')
    if mask.all():
        raise UserError(
            'what is missing lies outside of the middle square, which is all that this '
            'model sees: crop the picture, or restore it without --workdir'
        )
    return restored(asked, Hole(), seen * mask, mask)


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
    factor = asked.flags.factor
    at_least(asked.flags, 2, 'factor')
    if asked.run and (size := asked.run.config.data.image_size) % factor:
        raise UserError(
            f'--factor={factor}: must divide the {size} pixels of the model'
        )
    return restored(asked, Small(factor), read(asked, factor))


def denoise(asked: Asked) -> Made:
    at_least(asked.flags, 0, 'sigma')
    return restored(asked, WHOLE, read(asked), noise=max(NOISE, asked.flags.sigma))


def deblur(asked: Asked) -> Made:
    radius, size = asked.flags.radius, asked.run.config.data.image_size
    if not 0.1 <= radius <= size:
        raise UserError(f'--radius={radius:g}: must be from 0.1 to {size}')
    how = Blurred(radius)
    return restored(asked, how, read(asked))


def colourise(asked: Asked) -> Made:
    if asked.run is None:
        raise UserError('colourise needs a model that knows colours: --workdir=RUN')
    if asked.run.config.data.channels != 3:
        raise UserError('colourise asks for a model of colours')
    grey = np.asarray(Grey().seen(read(asked)[None]))[0]
    return restored(asked, Grey(), grey)


def tool(says: str, make: Callable, flags: dict) -> Tool:
    """A Tool that restores, with what such tools share; make: ends in `restored`."""
    says = f'{says}: plausible, not recovered'
    more = {
        'num': Flag(
            None,
            int,
            f'samples of what else it may be: {SAMPLES}, 0 without a model; 0: the '
            'best alone',
        ),
        'steps': Flag(
            None, int, f'of Adam: {STEPS}; without a model at most {DEEP_STEPS}'
        ),
        'size': Flag(
            None,
            int,
            f'without a model: pixels of the longer side, at most {SIZE} unless said',
        ),
    }
    return Tool(says, make, 'PICTURE', flags | SEARCH | more, run=None)


TOOLS = {
    'inpaint': tool(
        'fills what is transparent, or marked by a mask or a box',
        inpaint,
        {
            'mask': Flag('', str, 'a picture of the same size: white is missing', True),
            'box': Flag('', str, 'X,Y,WIDTH,HEIGHT of what is missing, in pixels'),
        },
    ),
    'upscale': tool(
        'a small picture in the size of the model',
        upscale,
        {'factor': Flag(2, int, 'how many times larger')},
    ),
    'denoise': tool(
        'takes noise away',
        denoise,
        {'sigma': Flag(25.0, float, 'deviation of the noise, in 255ths')},
    ),
    'deblur': tool(
        'makes sharp',
        deblur,
        {'radius': Flag(1.5, float, 'deviation of the Gaussian blur, in pixels')},
    ),
    'colourise': tool('gives colours to a grey picture', colourise, {}),
}
