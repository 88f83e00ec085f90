"""Pictures with a part of them missing, small, noisy, blurred or grey, whole again.

As a model of pictures would have them; or as an untrained network comes to them, or as
filters do; or by a network that was trained to restore.

What is worked on may be smaller than the picture. Then the damage is that which is left
at the smaller size, and x', the result at that size, is pasted back into the picture y:

  x = U x'                    where nothing is known of x (inpaint)
  x = U x' + F(y - A U x')    F a filter against the damage A (denoise, deblur)

where U enlarges.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

import jax
import numpy as np
from PIL import Image

from gan_vae import images
from gan_vae.art import deep_prior, inversion, latents, sheets
from gan_vae.art import network as tiles
from gan_vae.art.degradations import Degradation
from gan_vae.art.tools import (
    Flag,
    ModelRequest,
    Picture,
    Request,
    Result,
    ToolWithOptionalModel,
)
from gan_vae.data.pictures import Fit, fit, given, opaque, within
from gan_vae.errors import UserError, counted
from gan_vae.methods.contract import required
from gan_vae.objectives import damage

PLAUSIBLE = 'plausible, not recovered: nobody can know what was there'
UNIT = 255 / 2  # grey levels in a unit of a picture in [-1, 1]
NOISE = 2.0  # deviation of what is seen as it is, in grey levels
SIZE, LARGEST = 256, 2048  # pixels of the longer side, without a model
LEAST = 4  # pixels of the shorter side
STEPS, SAMPLES = 400, 4  # of a model
DEEP_STEPS = 2000  # without one
NETWORK = 'pretrained:restore'
SMALL = 64  # pixels of the longer side up to which the prior is quick
METHOD = Flag(
    None,
    str,
    'without --workdir: prior (an untrained network, minutes above 64 pixels), filter, '
    f'or network ({NETWORK}, which was trained). Unless given: filter, but prior with '
    f'--num, --steps or --size, and for denoise of a picture of up to {SMALL} pixels',
    choices=('network', 'prior', 'filter'),
)
NOTHING = damage.told()
OF_OTHERS = 'num', 'steps', 'size'  # flags that a network does not take
ON_SHEET = 512  # pixels of the longer side of a picture on the sheet, at most


@dataclass(frozen=True, kw_only=True)
class Work:
    """A damaged picture, at its own size and as it is worked on."""

    full: np.ndarray  # float32 [H, W, C] in [-1, 1]
    seen: np.ndarray  # float32 [h, w, C], what is worked on
    corner: tuple[int, int]  # left and top pixel of `full` where `seen` begins
    extent: tuple[int, int]  # width and height of `full` that `seen` is of
    own_size: bool  # `seen` is the picture: nothing is to be pasted

    @property
    def scale(self) -> float:
        """Pixels of the picture along a side for each that is worked on, at least 1."""
        return max(1.0, self.extent[0] / self.seen.shape[1])

    def noise(self, deviation: float) -> float:
        """The deviation at the size worked on of white noise in the picture."""
        if self.scale == 1:
            return deviation
        noise = np.random.default_rng(0).standard_normal(self.extent[::-1])
        height, width, _ = self.seen.shape
        small = Image.fromarray(np.float32(noise))
        small = small.resize((width, height), Image.Resampling.LANCZOS)
        return deviation * float(np.asarray(small).std())

    def enlarged(self, x: np.ndarray, rest: float | np.ndarray) -> np.ndarray:
        """float32 [H, W, C] of x [h, w, C] in its place, `rest` outside of it."""
        canvas, x = np.zeros_like(self.full) + rest, np.asarray(x, np.float32)
        (left, top), (width, height) = self.corner, self.extent
        parts = [Image.fromarray(p) for p in np.moveaxis(x, -1, 0).copy()]
        parts = [p.resize(self.extent, Image.Resampling.BICUBIC) for p in parts]
        large = np.stack([np.asarray(part) for part in parts], -1)
        inside = canvas[max(0, top) : top + height, max(0, left) : left + width]
        cut = large[max(0, -top) :, max(0, -left) :]
        inside[:] = cut[: inside.shape[0], : inside.shape[1]]
        return canvas


def default(flags: Namespace) -> str:
    """The model where no --workdir is given: the network that restores, if asked."""
    return NETWORK if flags.method == 'network' else ''


def network(request: Request) -> TypeGuard[ModelRequest]:
    """Whether the model of a request is a network that restores. A UserError for flags
    that it does not take."""
    method, model = request.flags.method, request.model
    if model is not None and method == 'network':
        required(model.method, 'restoration', '--method=network')
    elif model is not None and method:
        raise UserError(f'--method={method} is for restoring without --workdir')
    if not isinstance(request, ModelRequest) or not request.model.method.restoration:
        return False
    flags = request.flags
    given = [name for name in OF_OTHERS if getattr(flags, name) is not None]
    if flags.restarts != latents.SEARCH['restarts'].default:
        given.append('restarts')
    given += [name for name in ('class', 'prompt') if vars(flags)[name]]
    if given:
        raise UserError(
            f'--{given[0]}: {request.model.workdir} restores in one pass, and takes no '
            'such flag; a GAN, a VAE or a prior over codes does'
        )
    return True


def _given(request: Request, colour: tuple[int, int, int]) -> Image.Image:
    """The picture of a request, on a colour where it is transparent."""
    word = request.inputs[0].word
    picture = given(word)
    if min(picture.size) < LEAST:
        raise UserError(
            f'{word} is {picture.width}x{picture.height}: too small to restore, which '
            f'takes {LEAST} pixels a side at least'
        )
    return opaque(picture, colour)


def whole(request: ModelRequest) -> np.ndarray:
    """The picture of a request at its own size, float32 [H, W, C], as its network takes
    it."""
    picture = _given(request, (255, 255, 255))
    if request.model.config.data.channels == 1:
        picture = picture.convert('L')
    x = images.from_uint8(np.atleast_3d(np.asarray(picture)))
    return np.asarray(x, np.float32)


def networked(
    request: ModelRequest,
    y: np.ndarray,
    told: np.ndarray = NOTHING,
    mask: np.ndarray | None = None,
    how: Degradation | None = None,
    seen: np.ndarray | None = None,
    rest: tuple[np.ndarray, np.ndarray] | None = None,
    messages: tuple[str, ...] = (),
) -> Result:
    """The Result of y float [H, W, C] by the network of a request.

    told: as of objectives.damage.told; nothing: it finds out. mask [H, W, 1]: of what
    is seen. how, seen: a damage of which the result is to be consistent with what is
    seen. rest: (the share of the network [H, W, 1], another restoration).
    """
    known = np.ones_like(y[..., :1]) if mask is None else mask
    model = request.model
    x = tiles.restored(
        model.method.restoration, model.weights, y, known, told, request.progress
    )
    if how is not None:
        x = np.asarray(how.consistent(x[None], seen, None))[0]
    if rest is not None:
        share, other = rest
        x = share * x + (1 - share) * other
    if mask is not None:
        x = np.where(mask > 0, y, x)
    height, width, _ = x.shape
    line = f'{width}x{height} pixels, by the network of {model.workdir}'
    before = y * known if seen is None else seen
    invented = [PLAUSIBLE] if mask is not None or how is not None else []
    return _result(before, [x], [*messages, line, *invented], {})


def read(request: Request, factor: int = 1) -> Work:
    """The picture of a request: with a model as the model takes it, over `factor`;
    without one its own, but worked on no larger than --size."""
    model, flags = request.model, request.flags
    if model is None:
        for name in ('restarts', 'class', 'prompt'):
            if vars(flags)[name] != latents.SEARCH[name].default:
                raise UserError(f'--{name} is of a model: say --workdir=RUN')
        picture = _given(request, (255, 255, 255))
        small = within(picture, longest(flags))
        return Work(
            full=images.from_uint8(np.asarray(picture)),
            seen=images.from_uint8(np.asarray(small)),
            corner=(0, 0),
            extent=picture.size,
            own_size=small.size == picture.size,
        )
    required(model.method, 'latents.decode', request.tool)
    how = Fit.of(model.config.data)
    if flags.size is not None:
        raise UserError(
            f'--size={flags.size}: this model makes {how.size} pixels; --size is for '
            'restoring without --workdir'
        )
    how = how._replace(size=how.size // factor)
    picture = _given(request, how.colour())
    seen = fit(picture, how)
    square = (min if how.policy == 'crop' else max)(picture.size)
    left, top = ((length - square) // 2 for length in picture.size)
    if how.channels == 1:
        picture = picture.convert('L')
    return Work(
        full=images.from_uint8(np.atleast_3d(np.asarray(picture))),
        seen=np.asarray(images.from_uint8(seen)),
        corner=(left, top),
        extent=(square, square),
        own_size=max(picture.size) <= how.size,
    )


def fitted_mask(request: Request, hole: Image.Image) -> np.ndarray:
    """bool [h, w, 1] of a mask of the picture as it is worked on."""
    if request.model is None:
        return np.asarray(within(hole, longest(request.flags)))[..., None] > 0
    how = Fit.of(request.model.config.data)
    return fit(hole, how._replace(channels=1, background='black')) > 0


def longest(flags) -> int:
    """Pixels of the longer side that are worked on without a model, at most."""
    return flags.size or SIZE


def by_filter(request: Request, work: Work, better_small: str) -> bool:
    """Whether a filter is to restore it; better_small: the better method for a
    picture of up to SMALL pixels. Without a model alone."""
    flags = request.flags
    if request.model is not None:
        return False
    if flags.method:
        return flags.method == 'filter'
    if any(getattr(flags, name) is not None for name in OF_OTHERS):
        return False
    return better_small == 'filter' or max(work.extent) > SMALL


def restored(
    request: Request,
    how: Degradation,
    work: Work,
    mask: np.ndarray | None = None,
    noise: float = NOISE,
    paste: Callable[[np.ndarray], np.ndarray] | None = None,
    messages: tuple[str, ...] = (),
) -> Result:
    """The Result of a damaged picture: the best, samples of what else it may be, their
    mean and how far they differ.

    how, mask [h, w, 1]: the damage at the size worked on; noise: deviation there, in
    grey levels. paste: x' [h, w, C] -> the picture float [H, W, C], where the picture
    is larger than that.
    """
    if isinstance(request, ModelRequest):
        outcome = _by_model(request, how, work.seen, mask, noise)
    else:
        outcome = _untrained(request, how, work.seen, mask, noise)
    restorations, lines, metrics = outcome
    seen = work.seen
    if mask is not None:  # holes are grey
        seen = np.where(mask > 0, seen, 0.0)
    if paste is not None and not work.own_size:
        restorations = [paste(np.asarray(x)) for x in restorations]
        seen = work.full
        sizes = [f'{x.shape[1]}x{x.shape[0]}' for x in (work.full, work.seen)]
        lines += [f'{request.inputs[0].word}: {sizes[0]}, worked on at {sizes[1]}']
    return _result(seen, restorations, [*messages, *lines, PLAUSIBLE], metrics)


def filtered(request: Request, work: Work, x: np.ndarray, messages=()) -> Result:
    """The Result of x float [H, W, C], which a filter computed of a large picture."""
    for flag in ('num', 'steps'):
        if getattr(request.flags, flag):
            if getattr(request.flags, 'method', None):  # 'filter'
                raise UserError(f'--{flag} is of --method=prior')
            raise UserError(
                f'--{flag} is of the untrained network, and a picture of more than '
                f'{longest(request.flags)} pixels a side is filtered: --size=N for more'
            )
    height, width, _ = x.shape
    line = f'{width}x{height} pixels, by a filter at this size, without a model'
    return _result(work.full, [x], [*messages, line, PLAUSIBLE], {})


def _result(seen, restorations: list, messages: list[str], metrics: dict) -> Result:
    """The Result of pictures float [H, W, C], the best first, then samples; seen: float
    [h, w, C] in [-1, 1], of which H and W are multiples or equal."""
    each = [images.to_uint8(x) for x in restorations]
    names = ['best', *(f'sample{n}' for n in range(len(each) - 1))]
    if len(each) > 1:
        samples = np.stack(each[1:])
        mean, apart = samples.mean(0), samples.std(0)
        bright = np.clip(4 * apart.mean(-1, keepdims=True), 0, 255).astype(np.uint8)
        mean = np.round(mean).astype(np.uint8)
        each += [mean, np.repeat(bright, mean.shape[-1], -1)]
        names += ['mean', 'deviation-times-4']
    before = images.to_uint8(seen)
    height, width, _ = each[0].shape
    before = before.repeat(height // len(before), 0)
    before = before.repeat(width // before.shape[1], 1)
    on_sheet = [np.broadcast_to(before, each[0].shape), *each]
    on_sheet = [sheets.within(picture, ON_SHEET) for picture in on_sheet]
    return Result(
        pictures=[Picture(*pair) for pair in zip(each, names, strict=True)],
        sheet=sheets.labelled(on_sheet, min(4, len(on_sheet)), ['seen', *names]),
        messages=messages,
        metrics=metrics,
    )


def _untrained(request: Request, how: Degradation, seen, mask, noise):
    """([best, *samples], lines, figures), each by a network of its own."""
    flags = request.flags
    shape = *(how.factor * n for n in seen.shape[:2]), seen.shape[2]
    pictures, metrics = [], {}
    for number in range(1 + (flags.num or 0)):
        best = deep_prior.restore(
            seen,
            shape,
            how,
            mask,
            noise / UNIT,
            flags.steps or DEEP_STEPS,
            flags.seed + number,
            request.progress,
        )
        if not best.steps:  # Ctrl-C, in the one before
            break
        pictures.append(how.consistent(best.picture[None], seen, mask)[0])
        metrics = metrics or {'steps': best.steps, 'excess': best.excess}
    end = 'as near as the noise allows'
    if metrics['excess'] > 1:
        apart = np.sqrt(metrics['excess'])
        end = f'still {apart:.1f} times as far as the noise: --steps=N for more'
        if apart > 2:  # by the triangle inequality, farther from x than y is
            end += '. The picture that was given is nearer to a clean one than this'
    size = f'{shape[1]}x{shape[0]} pixels'
    lines = [f'{size}, {counted(metrics["steps"], "step")} without a model, {end}']
    return pictures, lines, metrics


def _by_model(request: ModelRequest, how: Degradation, seen, mask, noise):
    """([best, *samples], lines, figures)."""
    model, flags = request.model, request.flags
    num = SAMPLES if flags.num is None else flags.num
    starts, labels, lines = latents.starts(request)
    decode, weights = model.method.latents.decode, model.weights
    drawn = jax.jit(decode)
    steps = flags.steps or STEPS
    best = inversion.invert(
        decode, weights, seen, starts, how, mask, labels, steps, track=request.progress
    )
    z = best.z[:1]
    label = None if labels is None else labels[best.order[:1]]

    def consistent(z, labels):
        return list(how.consistent(drawn(weights, z, labels), seen, mask))

    rest = how.seen(drawn(weights, z, label), mask) - seen
    left = float(np.mean(rest**2))
    known = np.ones_like(seen) if mask is None else np.broadcast_to(mask, seen.shape)
    flat = np.average(seen, (0, 1), known) * known
    if left >= np.mean((flat - seen) ** 2):
        lines.append(
            'the model comes no nearer to what is seen than one flat colour: it makes '
            'no such pictures'
        )
    pictures, metrics = consistent(z, label), {'loss': float(best.loss[0])}
    if num:
        label = None if label is None else np.repeat(label, num)
        z, metrics['accepted'] = inversion.posterior(
            decode,
            weights,
            seen,
            np.repeat(z, num, 0),
            # a model is never quite right: what it leaves of y counts as noise
            np.sqrt((noise / UNIT) ** 2 + left),
            how,
            mask,
            label,
            seed=flags.seed,
            track=request.progress,
        )
        pictures += consistent(z, label)
    return pictures, lines, metrics


NUM = f'samples of what else it may be: {SAMPLES}, 0 without a model; 0: the best alone'
ADAM = f'of Adam: {STEPS}; without a model at most {DEEP_STEPS}'
LONGER = (
    f'without a model: pixels of the longer side, {SIZE} unless given, up to which an '
    'untrained network works; above, inpaint works at that size, and denoise and '
    'deblur filter'
)
FLAGS = latents.SEARCH | {
    'num': Flag(None, int, NUM, least=0, most=1000),
    'steps': Flag(None, int, ADAM, least=1),
    'size': Flag(None, int, LONGER, least=1, most=LARGEST),
}


def tool(
    make: Callable[[Request], Result],
    flags: dict[str, Flag] | None = None,
    default: Callable[[Namespace], str] = default,
) -> ToolWithOptionalModel:
    """A tool that restores, with what such tools share; make: ends in `restored`, or in
    `networked` where `network` says so; default: the model without --workdir."""
    every = (flags or {}) | {'method': METHOD} | FLAGS
    return ToolWithOptionalModel(
        make=make, takes='PICTURE', flags=every, default=default
    )
