"""Your own picture in the latent space of a model, for the tools that take latents."""

import numpy as np

from gan_vae import images
from gan_vae.art import inversion, latents, sheets
from gan_vae.art.degradations import WHOLE
from gan_vae.art.tools import Asked, Flag, Made, Run, Tool, at_least
from gan_vae.evaluation.pairs import psnr
from gan_vae.methods import sampling

SEARCH = {  # of all tools that look for latents
    'restarts': Flag(8, int, 'starts, of which the best is kept'),
    'steps': Flag(400, int, 'of Adam'),
    'class': Flag('', str, 'of a model of classes: a name or a number'),
}


def starts_of(asked: Asked, near: np.ndarray | None = None):
    """Latents [R, D] to start from, and classes [R] or None.

    near: a picture uint8 [H, W, C] whose code is the first start, where the model has
    an encoder that needs no class; the others are of the prior.
    """
    run, flags = asked.run, asked.flags
    at_least(flags, 1, 'restarts', 'steps')
    z = latents.draw(run.method, flags.seed, flags.restarts)
    name = vars(flags)['class']
    if run.method.classes:
        labels = np.arange(len(z)) % run.method.classes
        if name:
            labels = np.full(len(z), sampling.class_id(run.classes, name))
        return z, labels.astype(np.int32)
    if name:
        sampling.class_id(run.classes, name)  # says that there are none
    if near is not None and run.method.latents.encode is not None:
        z[0] = latents.encode(run, near[None])[0]
    return z, None


def found(run: Run, best: inversion.Found, labels):
    """The best latent [1, D] and its class."""
    # classes are in the order of the starts, and latents by their loss
    return best.z[:1], None if labels is None else labels[best.order[:1]]


def project(asked: Asked) -> Made:
    run, flags = asked.run, asked.flags
    made, shown, said = [], [], []
    for thing in asked.things:
        picture = latents.read(thing.word, run)
        starts, labels = starts_of(asked, picture)
        best = inversion.invert(
            run.method.latents.decode,
            run.state,
            np.asarray(images.from_uint8(picture)),
            starts,
            WHOLE,
            labels=labels,
            steps=flags.steps,
            track=asked.steps,
        )
        again = latents.pictures(run, *found(run, best, labels))[0]
        near = psnr(picture[None], again.image[None])[0]
        again.about['psnr'] = float(near)
        made.append(again)
        shown += [picture, again.image]
        said += latents.smaller(thing.word, len(picture))
        flat = np.zeros_like(picture) + np.uint8(picture.mean((0, 1)) + 0.5)
        far = near <= psnr(picture[None], flat[None])[0]
        more = ', no nearer than one flat colour: this model makes no such pictures'
        said.append(f'{thing.word}: {near:.1f} dB{more * bool(far)}')
    words = [w for p in made for w in ('given', f'{p.about["psnr"]:.1f} dB')]
    columns = 2 * max(1, round(np.sqrt(len(made) / 2)))
    return Made(made, sheet=sheets.labelled(shown, columns, words), said=said)


TOOLS = {
    'project': Tool(
        'the latents of your pictures, for interpolate, breed and move',
        project,
        'PICTURE...',
        SEARCH,
    )
}
