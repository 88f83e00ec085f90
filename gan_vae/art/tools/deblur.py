"""Makes a blurred picture sharp: plausible, not recovered."""

import numpy as np

from gan_vae.art import filters, restoration
from gan_vae.art.degradations import Blurred
from gan_vae.art.tools import Flag, Request, Result
from gan_vae.errors import UserError
from gan_vae.objectives import damage
from gan_vae.objectives.estimates import ROUNDING


def make(request: Request) -> Result:
    radius = request.flags.radius
    if restoration.network(request):
        if not 0.1 <= radius <= damage.MOST_BLUR:
            raise UserError(
                f'--radius={radius:g}: the network takes from 0.1 to '
                f'{damage.MOST_BLUR:g} pixels; --method=filter takes more'
            )
        y = restoration.whole(request)
        return restoration.networked(request, y, damage.told(blur=radius))
    work = restoration.read(request)
    if not 0.1 <= radius <= max(work.extent):
        raise UserError(f'--radius={radius:g}: must be from 0.1 to {max(work.extent)}')
    noise = max(ROUNDING, filters.noise_of(work.full))

    def sharper(y: np.ndarray) -> np.ndarray:
        return filters.deblurred(y, radius, noise)

    def paste(x: np.ndarray) -> np.ndarray:
        base = work.enlarged(x, 0.0)
        blurred = np.asarray(Blurred(radius).seen(base[None])[0])
        return base + sharper(work.full - blurred)

    if restoration.by_filter(request, work, 'filter'):
        return restoration.filtered(request, work, sharper(work.full))
    how = Blurred(radius / work.scale)
    return restoration.restored(request, how, work, paste=paste)


TOOL = restoration.tool(
    make, {'radius': Flag(1.5, float, 'deviation of the Gaussian blur, in pixels')}
)
