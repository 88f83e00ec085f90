"""Trackio, in its database on this machine ($TRACKIO_DIR), or $TRACKIO_SERVER_URL."""

import contextlib
from typing import Any

from gan_vae.publish import PROJECT, Replay


def send(library: Any, replay: Replay) -> str:
    with contextlib.suppress(ValueError):  # there is no such project yet
        for run in list(library.Api().runs(PROJECT)):
            if run.name == replay.name:
                run.delete()
    library.init(
        project=PROJECT,
        name=replay.name,
        config=replay.config,
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
    )
    for step, values in replay.rows:
        library.log(values, step=step)
    library.finish()
    return f'{PROJECT}/{replay.name}; trackio show --project {PROJECT}'
