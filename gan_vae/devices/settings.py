"""Settings of how a step is spread over devices and memory."""

from dataclasses import dataclass

from gan_vae.config.fields import choice, number, switch


@dataclass(frozen=True)
class Settings:
    """Section `parallel`."""

    devices: int = number(0, 'of each host; 0 is all', least=0, resumable=True)
    map: str = choice(
        *('shard_map', 'shard_map', 'pmap'),
        says='the same step, bit for bit',
        resumable=True,
    )
    # BatchNorm sees the statistics of a part (over all devices), and its running ones
    # move once a part; all else is the same update.
    accumulate: int = number(
        1, "parts of a device's rows, one after the other: less memory", least=1
    )
    shard_state: bool = switch(
        False, 'optimiser and averages cut over devices (ZeRO-1)', resumable=True
    )
    # Parameters, statistics and losses stay float32.
    dtype: str = choice(
        'float32', 'float32', 'bfloat16', says='of layers and activations'
    )
    remat: bool = switch(
        False, 'activations are computed again for the gradient', resumable=True
    )
