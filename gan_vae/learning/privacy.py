"""Differentially private training: settings, and what a run gives away.

  P(weights | data) <= e^epsilon P(weights | data without one example) + delta

for any one example and any set of weights. Abadi et al. 2016, arXiv:1607.00133; the
update is in dp_sgd.py, the batches are those of data/poisson.py, and the privacy loss
is composed numerically (Koskela et al. 2020, arXiv:1906.03049) by `dp-accounting`.
"""

from dataclasses import dataclass
from functools import cache

from gan_vae.config.fields import number
from gan_vae.errors import UserError, not_installed

MOST = 10.0  # epsilon: above it a guarantee says little (Ponomareva et al. 2023,
# arXiv:2303.00654, section 5.2)
ORDERS = (*range(2, 64), 128, 256, 512)  # of Renyi's divergence


@dataclass(frozen=True)
class Settings:
    """Section `privacy`."""

    noise_multiplier: float = number(
        0.0,
        'DP-SGD: deviation of the noise on a sum of gradients, in units of clip_norm; '
        '0 is off',
        least=0,
    )
    clip_norm: float = number(
        1.0, "most of the norm of an example's gradient", least=1e-12
    )
    delta: float = number(
        1e-5, 'of the guarantee; less than 1 / examples', least=1e-30, below=1
    )


@cache
def epsilon(multiplier: float, rate: float, updates: int, delta: float) -> float:
    """Of `updates` noisy sums, each of examples drawn with probability `rate`."""
    try:
        import dp_accounting
        from dp_accounting.pld import PLDAccountant
        from dp_accounting.rdp import RdpAccountant
    except ImportError as error:
        what = 'config.privacy.noise_multiplier'
        raise not_installed(what, 'dp-accounting', 'privacy') from error
    noise = dp_accounting.GaussianDpEvent(multiplier)
    one = dp_accounting.PoissonSampledDpEvent(rate, noise)
    # Renyi's bound is looser and takes no time; of far too little noise the tight one
    # takes minutes and all memory
    bound = RdpAccountant(ORDERS).compose(one, updates).get_epsilon(delta)
    if bound > 5 * MOST:
        return float(bound)
    tight = PLDAccountant(value_discretization_interval=1e-3)
    return float(tight.compose(one, updates).get_epsilon(delta))


@dataclass(frozen=True)
class Account:
    """The epsilon of a run by its steps."""

    settings: Settings
    examples: int  # trained on
    batch_size: int  # examples of an update, in expectation
    updates: int  # that see data, in a step
    begun_from: str = ''  # a run whose weights it began with

    @property
    def rate(self) -> float:
        """The probability that an example is in a batch."""
        return self.batch_size / self.examples

    @classmethod
    def of(cls, config, examples: int, updates: int) -> 'Account | None':
        """Of a run's config; None of one that is not private."""
        if not config.privacy.noise_multiplier:
            return None
        begun_from = config.train.init_from
        return cls(
            config.privacy, examples, config.data.batch_size, updates, begun_from
        )

    def spent(self, step: int) -> float:
        """Epsilon after `step` steps."""
        privacy, updates = self.settings, step * self.updates
        return epsilon(privacy.noise_multiplier, self.rate, updates, privacy.delta)

    def words(self) -> str:
        """What an epsilon is of."""
        privacy, more = self.settings, ''
        if self.begun_from:
            more = (
                f'; begun with the weights of {self.begun_from}, which is not counted'
            )
        return (
            f'delta {privacy.delta:g}, noise {privacy.noise_multiplier:g}, Poisson '
            f'batches of {self.batch_size:,} of {self.examples:,}; to add or to remove '
            f'one example{more}'
        )

    def check(self, steps: int):
        """A UserError where the epsilon of the whole run says nothing."""
        if self.rate > 1:
            raise UserError(
                f'config.data.batch_size={self.batch_size}: the set has '
                f'{self.examples:,} examples, of which private training draws some'
            )
        if self.settings.delta * self.examples > 1:
            raise UserError(
                f'config.privacy.delta={self.settings.delta:g}: of {self.examples:,} '
                f'examples it must be below {1 / self.examples:.1g}'
            )
        if (spent := self.spent(steps)) > MOST:
            raise UserError(
                f'config.privacy: epsilon is {spent:.3g} after {steps:,} steps on '
                f'{self.examples:,} examples, and above {MOST:g} it protects little: '
                'raise config.privacy.noise_multiplier, train for fewer steps with a '
                'smaller config.data.batch_size, or on more examples'
            )
