"""Settings of the training loop. Lengths are in steps."""

from dataclasses import dataclass

from gan_vae.config.fields import number, text
from gan_vae.errors import UserError


@dataclass(frozen=True)
class Settings:
    """Section `train`."""

    steps: int = number(
        10_000,
        'of the run; of a GAN, generator updates; more may be asked for on resume, '
        'unless optimizer.schedule is spread over them',
        least=1,
    )
    init_from: str = text(
        '', "a run folder, or pretrained:NAME, to begin with its weights; '' is none"
    )
    seed: int = number(
        0, 'of weights, order of the data, and all noise', least=0, below=2**32
    )
    log_steps: int = number(
        100, 'scalars are means over so many steps', least=1, resumable=True
    )
    image_steps: int = number(500, 'between sample grids', least=1, resumable=True)
    num_samples: int = number(64, 'in a grid', least=1)
    checkpoint_steps: int = number(1000, 'between checkpoints', least=1, resumable=True)
    keep_latest: int = number(
        2, 'checkpoints kept: the newest', least=1, resumable=True
    )
    keep_every_steps: int = number(
        0, 'and every multiple of this; 0 is none', least=0, resumable=True
    )
    best_metric: str = text('', "and the best by this, as 'min:eval/loss'; '' is none")
    patience: int = number(
        0,
        'stop after so many checkpoints without a better; 0 is never',
        least=0,
        resumable=True,
    )

    def check(self):
        """What concerns two keys."""
        if self.patience and not self.best_metric:
            raise UserError(
                f'config.train.patience={self.patience} waits for a better '
                "config.train.best_metric: set it, as 'max:eval/elbo'"
            )
