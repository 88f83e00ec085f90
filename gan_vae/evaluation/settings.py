"""Settings of the evaluation while a run trains."""

from dataclasses import dataclass

from gan_vae.config.fields import number, text


@dataclass(frozen=True)
class Settings:
    """Section `eval`."""

    every_steps: int = number(
        0, 'between evaluations; 0 is at the end alone', least=0, resumable=True
    )
    batch_size: int = number(500, 'of held-out examples', least=1, resumable=True)
    metrics: str = text(
        'swd',
        "as 'swd@1000,fid:num=5000,iwae_64': see evaluation/plan.py; '' is none",
        resumable=True,
    )
    num_samples: int = number(
        1000, 'that a metric takes unless it states num', least=2, resumable=True
    )
    reference: str = text(
        '', "the split that samples are compared with; '' is data.split", resumable=True
    )
