"""Sheets of what each latent does."""

from gan_vae.art import traversals
from gan_vae.art.tools import Asked, Made, Picture, Tool


def make(asked: Asked) -> Made:
    made, said = traversals.pictures(asked.run, asked.flags.seed)
    return Made([Picture(i) for i in made], traversals.COLUMNS, said=[said])


TOOLS = {
    'traversals': Tool('what each unit of a VAE or each code of an InfoGAN does', make)
}
