"""Where the tools that look for latents begin, and the flags that say how."""

import numpy as np

from gan_vae.art import latents
from gan_vae.art.tools import Flag, ModelRequest, at_least
from gan_vae.methods import sampling

FLAGS = {
    'restarts': Flag(8, int, 'starts, of which the best is kept'),
    'steps': Flag(400, int, 'of Adam'),
    'class': Flag('', str, 'of a model of classes: a name, or #N'),
}


def starts(request: ModelRequest, near: np.ndarray | None = None):
    """Latents float32 [R, D] to start from, classes int32 [R] or None, and messages.

    near: a picture uint8 [H, W, C] whose code is the first start, where the model has
    an encoder that needs no class; the others are of the prior.
    """
    model, flags = request.model, request.flags
    at_least(flags, 1, 'restarts', 'steps')
    z = sampling.latents(model.method, flags.seed, flags.restarts)
    word = vars(flags)['class']
    # an error where the model has no classes
    label = sampling.class_id(model.classes, word) if word else None
    if model.method.classes:
        labels = np.arange(len(z)) % model.method.classes
        if label is None:
            return z, labels.astype(np.int32), []
        message = sampling.class_message(model.classes, word, label)
        return z, np.full(len(z), label, np.int32), message
    if near is not None and model.method.latents.encode is not None:
        z[0] = latents.encode(model, near[None])[0]
    return z, None, []
