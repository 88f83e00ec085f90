"""A small picture, larger by a factor: plausible, not recovered."""

from argparse import Namespace

from gan_vae.art import network, restoration
from gan_vae.art.degradations import Small
from gan_vae.art.tools import Flag, Request, Result
from gan_vae.data.pictures import given
from gan_vae.errors import UserError
from gan_vae.objectives import damage


def make(request: Request) -> Result:
    factor, word = request.flags.factor, request.inputs[0].word
    picture = given(word)
    what, side = f'{word} is {picture.width}x{picture.height}', max(picture.size)
    if restoration.network(request):
        if factor not in FACTORS:
            raise UserError(
                f'--factor={factor}: the network takes {" or ".join(map(str, FACTORS))}'
            )
        if factor * side > restoration.LARGEST:
            raise UserError(
                f'{what}, and {factor} times that is over the {restoration.LARGEST} '
                'pixels that there may be'
            )
        seen = restoration.whole(request)
        y = network.enlarged(seen, factor)
        told, how = damage.told(factor=factor), Small(factor)
        return restoration.networked(request, y, told, how=how, seen=seen)
    if request.flags.method == 'filter':
        raise UserError('--method=filter: there is none for upscale; take network')
    if request.model is None:
        most = restoration.longest(request.flags)
        if factor * side > restoration.LARGEST:
            raise UserError(
                f'{what}, and {factor} times that is over the {restoration.LARGEST} '
                'pixels that there may be'
            )
        if factor * side > most:
            raise UserError(
                f'{what}, and {factor} times that is more than {most} pixels: '
                f'--size={factor * side} takes it'
            )
        return restoration.restored(request, Small(factor), restoration.read(request))
    size = request.model.config.data.image_size
    small = size // factor
    if size % factor:
        raise UserError(
            f'--factor={factor}: must divide the {size} pixels of the model'
        )
    if side > small:
        raise UserError(
            f'{what}, and this model makes {size}x{size} of {small}x{small} at most: '
            f'make it smaller (edit --size={small}), or leave --workdir out'
        )
    work = restoration.read(request, factor)
    return restoration.restored(request, Small(factor), work)


def default(flags: Namespace) -> str:
    """The network, where it has the factor and no flag is of the prior."""
    of_prior = [f for f in restoration.OF_OTHERS if getattr(flags, f) is not None]
    if not flags.method and flags.factor in FACTORS and not of_prior:
        return restoration.NETWORK
    return restoration.default(flags)


FACTORS = 2, 4
FLAGS = {'factor': Flag(2, int, 'times as large; of 2 and 4: network', least=2)}
TOOL = restoration.tool(make, FLAGS, default)
