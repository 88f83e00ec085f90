"""Settings of the update: the optimiser, and moving averages of weights."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, number, switch, text
from gan_vae.errors import UserError
from gan_vae.learning.privacy import Settings as Privacy


@dataclass(frozen=True)
class Settings:
    """Section `optimizer`: Adam; rates are per update."""

    learning_rate: float = number(2e-4, 'Adam', least=0)
    discriminator_learning_rate: float = number(
        0.0, 'of discriminators; 0 is learning_rate', least=0
    )
    b1: float = number(0.9, 'decay of the first moment', least=0, below=1)
    b2: float = number(0.999, 'decay of the second moment', least=0, below=1)
    discriminator_b1: float = number(
        -1.0, 'of discriminators; -1 is b1', least=-1, below=1
    )
    discriminator_b2: float = number(
        -1.0, 'of discriminators; -1 is b2', least=-1, below=1
    )
    eps: float = number(1e-8, 'added to the root of the second moment', least=0)
    schedule: str = choice(
        'constant',
        *('constant', 'linear', 'cosine', 'stages'),
        says='linear and cosine end at learning_rate_floor; stages: 10^(-i/7) of IWAE',
    )
    schedule_steps: int = number(
        0, 'at which a schedule ends, and stays there; 0 is train.steps', least=0
    )
    learning_rate_floor: float = number(
        0.0, 'share of the rate where linear and cosine end', least=0, below=1
    )
    b2_end: float = number(
        -1.0,
        'b2 at the end of the schedule, half a cosine away; -1 is b2',
        least=-1,
        below=1,
    )
    warmup_steps: int = number(0, 'the rate grows linearly from 0', least=0)
    clip_norm: float = number(0.0, 'global norm of gradients; 0 is off', least=0)
    weight_decay: float = number(0.0, 'AdamW, of all parameters; 0 is off', least=0)
    skip_ratio: float = number(
        0.0,
        'an update of so many times the median norm of the last 31 is skipped; 0: off',
        least=0,
    )
    frozen: str = text(
        '', "parameters that do not learn, as 'discriminator/Conv_0,generator'"
    )

    def check(self):
        """What concerns two keys."""
        if self.schedule_steps and self.schedule == 'constant':
            raise _endless(f'optimizer.schedule_steps={self.schedule_steps}')
        if self.b2_end >= 0 and self.schedule == 'constant':
            raise _endless(f'optimizer.b2_end={self.b2_end}')
        if self.learning_rate_floor and self.schedule not in ('linear', 'cosine'):
            raise UserError(
                f'config.optimizer.learning_rate_floor={self.learning_rate_floor}: a '
                f'schedule that is {self.schedule} has none, take linear or cosine'
            )


@dataclass(frozen=True)
class Averaging:
    """The moving average of weights that samples are drawn with (section `method`)."""

    ema_decay: float = number(
        0.999, 'of averaged weights; 0 is the last weights', least=0, below=1
    )
    ema_ramp: bool = switch(True, 'the decay is at most (1 + step) / (10 + step)')
    ema_half_life: float = number(
        0.0, 'in images, in place of ema_decay; 0 is off', least=0
    )
    ema_rampup: float = number(
        0.05, 'the half-life is at most this share of the images seen', least=0
    )
    ema_grows: bool = switch(
        False, 'ema_half_life grows from 0, half a cosine over the schedule'
    )
    ema_start_step: int = number(0, 'until then, the last weights', least=0)


@dataclass(frozen=True)
class Learning:
    """All of a config that an update depends on, apart from its loss."""

    optimizer: Settings = Settings()
    steps: int = 1  # of the run
    batch_size: int = 1  # examples, over all devices
    accumulate: int = 1  # parts of a device's rows
    shard_state: bool = False
    remat: bool = False
    dtype: str = 'float32'
    privacy: Privacy = Privacy()

    @property
    def schedule_steps(self) -> int:
        """The step at which schedules end."""
        return self.optimizer.schedule_steps or self.steps

    def require_end(self, key: str):
        """A UserError where `key`, 'section.key=value', moves to an end that a constant
        schedule lacks."""
        if self.optimizer.schedule == 'constant':
            raise _endless(key)

    @classmethod
    def of(cls, config) -> 'Learning':
        """Of a run's config."""
        keys = 'accumulate', 'shard_state', 'remat', 'dtype'
        parallel = {key: getattr(config.parallel, key) for key in keys}
        return cls(
            config.optimizer,
            config.train.steps,
            config.data.batch_size,
            **parallel,
            privacy=config.privacy,
        )


def _endless(key: str) -> UserError:
    return UserError(
        f'config.{key}: a constant schedule has no end to move to, take '
        'config.optimizer.schedule=cosine'
    )
