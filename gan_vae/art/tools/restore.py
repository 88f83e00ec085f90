"""Restores a picture of unknown damage: JPEG, noise, scratches, fading, blur."""

from gan_vae.art import restoration
from gan_vae.art.tools import ModelRequest, Request, Result, ToolWithOptionalModel
from gan_vae.methods.contract import required


def make(request: Request) -> Result:
    assert isinstance(request, ModelRequest)  # `default` is a model
    required(request.model.method, 'restoration', 'restore')
    return restoration.networked(request, restoration.whole(request))


TOOL = ToolWithOptionalModel(
    make=make, takes='PICTURE', default=lambda flags: restoration.NETWORK
)
