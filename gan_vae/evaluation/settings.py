"""Settings of the evaluation while a run trains."""

from dataclasses import dataclass

from gan_vae.config.fields import number, text


@dataclass(frozen=True)
class Settings:
    """Section `eval`."""

    every_steps: int = number(0, '0 is at the end alone', least=0, resumable=True)
    batch_size: int = number(500, 'of held-out examples', least=1, resumable=True)
    metrics: str = text(
        'swd',
        "of samples and of the model, 'swd,kid_random'; '' is none",
        resumable=True,
    )
    num_samples: int = number(
        1000, 'that metrics of samples take', least=2, resumable=True
    )
    reference: str = text(
        '', "the split that samples are compared with; '' is data.split", resumable=True
    )
