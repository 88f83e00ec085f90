"""A small picture, larger by a factor: plausible, not recovered."""

from gan_vae.art import restoration
from gan_vae.art.degradations import Small
from gan_vae.art.tools import Flag, Request, Result, at_least
from gan_vae.data.pictures import given
from gan_vae.errors import UserError


def make(request: Request) -> Result:
    factor, word = request.flags.factor, request.inputs[0].word
    at_least(request.flags, 2, 'factor')
    if request.model is None:
        _require_within(word, factor, restoration.longest(request.flags))
        return restoration.restored(request, Small(factor), restoration.read(request))
    settings = request.model.config.data
    size = settings.image_size
    if size % factor:
        raise UserError(
            f'--factor={factor}: must divide the {size} pixels of the model'
        )
    picture = given(word)
    if max(picture.size) > size // factor:
        raise UserError(
            f'{word} is {picture.width}x{picture.height}, and this model makes '
            f'{size}x{size} of {size // factor}x{size // factor} at most: make it '
            f'smaller (edit --size={size // factor}), or leave --workdir out'
        )
    work = restoration.read(request, factor)
    return restoration.restored(request, Small(factor), work)


def _require_within(word: str, factor: int, longest: int):
    picture = given(word)
    side = factor * max(picture.size)
    if side <= longest:
        return
    size = f'{word} is {picture.width}x{picture.height}, and {factor} times that is '
    if side <= restoration.LARGEST:
        raise UserError(f'{size}more than {longest} pixels: --size={side} takes it')
    raise UserError(f'{size}over the {restoration.LARGEST} pixels that there may be')


TOOL = restoration.tool(make, {'factor': Flag(2, int, 'how many times larger')})
