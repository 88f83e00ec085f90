"""Takes noise away: plausible, not recovered."""

import numpy as np

from gan_vae.art import filters, restoration
from gan_vae.art.degradations import WHOLE
from gan_vae.art.restoration import NOISE, UNIT
from gan_vae.art.tools import Flag, Request, Result


def make(request: Request) -> Result:
    sigma, work = max(NOISE, request.flags.sigma), restoration.read(request)
    estimate, messages = filters.noise_of(work.full) * UNIT, ()
    if estimate < sigma / 2:
        messages = (
            f'the noise of this picture is about {estimate:.1f}, and --sigma={sigma:g} '
            f'takes more than that away: --sigma={max(1, round(estimate))}',
        )

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


TOOL = restoration.tool(
    make,
    {
        'sigma': Flag(25.0, float, 'deviation of the noise', least=0, most=255),
        'method': restoration.METHOD,
    },
)
