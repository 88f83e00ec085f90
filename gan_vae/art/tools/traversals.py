"""What each unit of a VAE or each code of an InfoGAN does."""

from gan_vae.art import traversals
from gan_vae.art.tools import ModelRequest, Picture, Result, ToolWithModel


def make(request: ModelRequest) -> Result:
    pictures, message = traversals.pictures(request.model, request.flags.seed)
    return Result(
        pictures=[Picture(image) for image in pictures],
        columns=traversals.COLUMNS,
        messages=[message],
    )


TOOL = ToolWithModel(make=make)
