"""Autoencoders with discrete codes: settings, of which priors over codes have parts."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, declared, network, number, text
from gan_vae.learning.settings import Averaging

KIND = 'images'


@dataclass(frozen=True)
class Networks:
    """Section `model`."""

    encoder: str = network('residual', 'code_encoder', 'image -> map of vectors')
    decoder: str = network('residual', 'code_decoder', 'map of codes -> image')
    halvings: int = number(
        2,
        'the map has 1/2^halvings of the side',
        least=1,
        below=8,
        of_networks=True,
    )
    code_width: int = number(
        64, 'channels next to the image', least=1, of_networks=True
    )
    code_blocks: int = number(
        1, 'residual blocks of a resolution', least=0, of_networks=True
    )


@dataclass(frozen=True)
class Codes:
    """The alphabet, and the loss of what is decoded."""

    quantiser: str = choice(
        'fsq',
        *declared('gan_vae.objectives.quantisers', 'QUANTISERS'),
        says='of vectors: by levels, or by a codebook',
    )
    levels: str = text('8,5,5,5', 'fsq: of each number of a vector')
    codes: int = number(512, 'but fsq: vectors of the codebook', least=2)
    code_dim: int = number(8, 'but fsq: numbers of a vector', least=1)
    commitment: float = number(0.25, 'but fsq: of vectors to their code', least=0)
    code_decay: float = number(
        0.99, 'ema_vq: of the averages that its vectors are', least=0, below=1
    )
    restart: float = number(
        0.0,
        'but fsq: a code starts anew whose share of vectors is below this over the '
        'number of codes; 0: none does',
        least=0,
        below=1,
    )
    absolute_weight: float = number(
        0.0, 'of the absolute error beside the squared one', least=0
    )
    feature_weight: float = number(
        0.0, 'of the distance of maps of a network beside it', least=0
    )
    features: str = text('random', 'that network: one never trained; or vgg_hed')


@dataclass(frozen=True)
class Settings(Averaging, Codes):
    """Section `method`."""
