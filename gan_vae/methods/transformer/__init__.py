"""Transformer over the discrete codes of pictures: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, number
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging
from gan_vae.methods import vq_vae

KIND = 'images'


@dataclass(frozen=True)
class Attention:
    """The sizes of a transformer."""

    width: int = number(192, 'numbers of a place', least=8)
    depth: int = number(4, 'blocks of attention', least=1)
    heads: int = number(6, 'of attention', least=1)
    dropout: float = number(0.1, 'of a place, in training', least=0, below=1)


@dataclass(frozen=True)
class Networks(Attention, vq_vae.Networks):
    """Section `model`."""


@dataclass(frozen=True)
class Law:
    """How samples are drawn, where nothing else is asked for."""

    guidance: float = number(
        1.0, 'scale of the condition; 1 is the law that was learned', least=0
    )
    top_k: int = number(0, 'only so many of the likeliest codes; 0 is all', least=0)
    top_p: float = number(
        1.0, 'only the likeliest codes of so much probability; 1 is all', least=0
    )


@dataclass(frozen=True)
class Prior(vq_vae.Codes, Law):
    """What all priors over codes have."""

    tokeniser_steps: int = number(
        3000,
        'the tokeniser alone learns, and then the prior of its codes alone; 0: it is '
        'that of config.train.init_from',
        least=0,
    )
    condition: str = choice(
        'none', *('none', 'class', 'text'), says='of which the codes are: p(x | it)'
    )
    condition_dropped: float = number(
        0.1, 'share of examples without it, as guidance needs', least=0, below=1
    )

    def check_training(self, train):
        """Raises a UserError where a network would not learn at all."""
        key = f'config.method.tokeniser_steps={self.tokeniser_steps}'
        if not self.tokeniser_steps and not train.init_from:
            raise UserError(
                f'{key}: the tokeniser learns nothing: give a run that has one by '
                'config.train.init_from'
            )
        if self.tokeniser_steps >= train.steps:
            raise UserError(
                f'{key} is not below config.train.steps={train.steps}: the prior '
                'learns nothing'
            )

    def check_data(self, data):
        """Raises a UserError where the settings of the data do not fit."""
        if self.condition == 'text' and data.text == 'none':
            raise UserError(
                'config.method.condition=text: set config.data.text to words or factors'
            )
        if self.condition != 'text' and data.text != 'none':
            raise UserError(
                f'config.data.text={data.text}: set config.method.condition=text'
            )


@dataclass(frozen=True)
class Settings(Averaging, Prior):
    """Section `method`."""
