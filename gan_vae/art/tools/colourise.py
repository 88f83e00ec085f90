"""Gives colours to a grey picture: plausible, not recovered."""

from dataclasses import replace

import numpy as np

from gan_vae.art import restoration
from gan_vae.art.degradations import Grey
from gan_vae.art.tools import Request, Result
from gan_vae.errors import UserError


def make(request: Request) -> Result:
    if request.model is None:
        raise UserError('colourise needs a model that knows colours: --workdir=RUN')
    if request.model.config.data.channels != 3:
        raise UserError('colourise needs a model of colours')
    work, how = restoration.read(request), Grey()

    def grey(x: np.ndarray) -> np.ndarray:
        return np.asarray(how.seen(x[None]))[0]

    def paste(x: np.ndarray) -> np.ndarray:
        luma = grey(work.full)
        return np.asarray(how.consistent(work.enlarged(x, luma), luma))

    work_in_grey = replace(work, seen=grey(work.seen))
    return restoration.restored(request, how, work_in_grey, paste=paste)


TOOL = restoration.tool(make)
