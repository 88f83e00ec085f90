"""Gives colours to a grey picture: plausible, not recovered."""

from dataclasses import replace

import numpy as np

from gan_vae.art import restoration
from gan_vae.art.degradations import Grey
from gan_vae.art.tools import Request, Result, ToolWithOptionalModel
from gan_vae.errors import UserError
from gan_vae.methods.contract import required


def make(request: Request) -> Result:
    if request.model is None or request.model.config.data.channels != 3:
        raise UserError('colourise needs a model that knows colours: --workdir=RUN')
    required(request.model.method, 'latents.decode', 'colourise')
    work, how = restoration.read(request), Grey()
    seen, full = (np.asarray(how.seen(x[None]))[0] for x in (work.seen, work.full))

    def paste(x: np.ndarray) -> np.ndarray:
        return np.asarray(how.consistent(work.enlarged(x, full), full))

    return restoration.restored(request, how, replace(work, seen=seen), paste=paste)


TOOL = ToolWithOptionalModel(make=make, takes='PICTURE', flags=restoration.FLAGS)
