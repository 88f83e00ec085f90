"""Pictures by a network from picture to picture: pix2pix, restore, a fast style."""

import numpy as np
from PIL import Image

from gan_vae import images
from gan_vae.art import network, sheets
from gan_vae.art.tools import ModelRequest, Picture, Result, ToolWithModel
from gan_vae.data.pictures import Fit, fit, given, opaque
from gan_vae.methods.contract import required

ON_SHEET, PAIRS = 256, 8  # pixels of a picture on the sheet; pictures on it


def make(request: ModelRequest) -> Result:
    model = request.model
    translation = required(model.method, 'translation', 'translate')
    how = Fit.of(model.config.data)
    before, after, messages = [], [], list[str]()
    for item in request.progress(request.inputs, 'translating'):
        picture = given(item.word)
        if model.method.translates == 'its size':
            x = fit(picture, how)
            if picture.size != x.shape[1::-1]:
                sizes = [f'{w}x{h}' for w, h in (picture.size, x.shape[1::-1])]
                messages.append(
                    f'{item.word}: {sizes[0]}, made {sizes[1]} ({how.policy}), as the '
                    'network was trained'
                )
        else:
            x = np.asarray(opaque(picture, how.colour()))
            if how.channels == 1:
                x = np.asarray(Image.fromarray(x).convert('L'))[..., None]
        y = network.translated(translation, model.weights, images.from_uint8(x))
        before.append(x)
        after.append(images.to_uint8(y))
    both = [
        sheets.within(picture, ON_SHEET)
        for pair in zip(before[:PAIRS], after[:PAIRS], strict=True)
        for picture in pair
    ]
    same = len({picture.shape for picture in both}) == 1
    return Result(
        pictures=[Picture(picture) for picture in after],
        sheet=sheets.labelled(both, 2, heads=['given', 'made']) if same else None,
        messages=messages,
    )


TOOL = ToolWithModel(make=make, takes='PICTURE...')
