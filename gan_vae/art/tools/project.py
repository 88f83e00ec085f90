"""The latents of your pictures, for interpolate, breed and move."""

import numpy as np

from gan_vae import images
from gan_vae.art import inversion, latents, sheets
from gan_vae.art.tools import Flag, ModelRequest, Result, ToolWithModel
from gan_vae.data.pictures import given
from gan_vae.evaluation.pairs import psnr


def make(request: ModelRequest) -> Result:
    model, pictures, on_sheet, messages = request.model, [], [], []
    if request.flags.space == 'styles':
        model = latents.styled(model)
    for item in request.inputs:
        picture = latents.read(item.word, model)
        starts, labels, messages_of_class = latents.starts(request, picture)
        best = inversion.invert(
            model.method.latents.decode,
            model.weights,
            np.asarray(images.from_uint8(picture)),
            latents.styles_of(model, starts, labels) if model.base else starts,
            labels=labels,
            steps=request.flags.steps,
            weight=0.0 if model.base else PRIOR,  # styles are not of N(0, I)
            track=request.progress,
        )
        # classes are in the order of the starts, and latents by their loss
        label = None if labels is None else labels[best.order[:1]]
        near = latents.pictures(model, best.z[:1], label)[0]
        ratio = psnr(picture[None], near.image[None])[0]
        near.provenance['psnr'] = float(ratio)
        pictures.append(near)
        on_sheet += [picture, near.image]
        if not messages:
            messages += messages_of_class
        width, height = given(item.word).size
        if max(width, height) > (side := len(picture)):
            messages.append(
                f'{item.word}: {width}x{height}, made {side}x{side} for this model'
            )
        flat = np.zeros_like(picture) + np.uint8(picture.mean((0, 1)) + 0.5)
        far = ratio <= psnr(picture[None], flat[None])[0]
        more = ''
        if far:
            more = ', no nearer than one flat colour: this model makes no such pictures'
        elif ratio < ROUGH:
            more = ', a rough likeness: a model comes near to pictures of its own kind'
        messages.append(f'{item.word}: {ratio:.1f} dB{more}')
    words = [w for p in pictures for w in ('given', f'{p.provenance["psnr"]:.1f} dB')]
    columns = 2 * max(1, round(np.sqrt(len(pictures) / 2)))
    sheet = sheets.labelled(on_sheet, columns, words)
    return Result(pictures=pictures, sheet=sheet, messages=messages)


ROUGH = 18.0  # dB
PRIOR = 1e-3  # weight of mean z^2
SPACE = "of 'latents', or of stylegan2 'styles': one for each layer, which come nearer"
TOOL = ToolWithModel(
    make=make,
    takes='PICTURE...',
    flags=latents.SEARCH
    | {'space': Flag('latents', str, SPACE, choices=('latents', 'styles'))},
)
