"""Takes noise away: plausible, not recovered."""

import numpy as np

from gan_vae.art import filters, restoration
from gan_vae.art.degradations import WHOLE
from gan_vae.art.restoration import NOISE, UNIT
from gan_vae.art.tools import Flag, Request, Result
from gan_vae.errors import UserError
from gan_vae.objectives import damage


def make(request: Request) -> Result:
    asked = request.flags.sigma
    if restoration.network(request):
        if asked is not None and asked > damage.MOST_NOISE:
            raise UserError(
                f'--sigma={asked:g}: the network takes up to {damage.MOST_NOISE:g}; '
                '--method=filter takes more'
            )
        y = restoration.whole(request)
        told = damage.told(noise=asked)
        return restoration.networked(request, y, told, messages=_estimate(y, asked))
    work = restoration.read(request)
    sigma = filters.noise_of(work.full) * UNIT if asked is None else asked
    sigma, messages = max(NOISE, sigma), _estimate(work.full, asked)

    def paste(x: np.ndarray) -> np.ndarray:
        base = work.enlarged(x, 0.0)
        return base + filters.denoised(work.full - base, sigma / UNIT)

    if restoration.by_filter(request, work, 'prior'):
        return restoration.filtered(
            request, work, filters.denoised(work.full, sigma / UNIT), messages
        )
    noise = max(NOISE, work.noise(sigma))
    return restoration.restored(
        request, WHOLE, work, noise=noise, paste=paste, messages=messages
    )


def _estimate(y: np.ndarray, sigma: float | None) -> tuple[str, ...]:
    """A line with the estimated noise, unless --sigma says about as much."""
    estimate = filters.noise_of(y) * UNIT
    if sigma is None:
        return (f'the noise of this picture is about {estimate:.1f} grey levels',)
    if estimate >= sigma / 2:
        return ()
    return (
        f'the noise of this picture is about {estimate:.1f}, and --sigma={sigma:g} '
        f'takes more than that away: try --sigma={max(1, round(estimate))}',
    )


SIGMA = 'deviation of the noise in grey levels; unless given as it is found'
TOOL = restoration.tool(make, {'sigma': Flag(None, float, SIGMA, least=0, most=255)})
