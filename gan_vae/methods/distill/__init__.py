"""A small decoder that draws what an exported one draws: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, network, number, switch, text
from gan_vae.learning.settings import Averaging

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    decoder: str = network('conv', 'decoder', 'latent, class -> image')
    width: int = number(16, 'channels next to the image', least=1, of_networks=True)
    latent_dim: int = number(64, "numbers of the teacher's latents", least=1)
    latent: str = choice(
        'normal', 'normal', 'uniform', says="law of the teacher's latents"
    )


@dataclass(frozen=True)
class Settings(Averaging):
    """Section `method`."""

    teacher: str = text(
        'toy', 'a folder of `gan_vae export --to=jax`, or its decoder.jax; or toy waves'
    )
    conditional: bool = switch(False, 'the teacher takes a class')
    feature_weight: float = number(
        0.1, 'of the distance of maps of a network beside the absolute error', least=0
    )
    features: str = text('random', 'that network: one never trained; or vgg_hed')
