"""Trackio, in its database on this machine ($TRACKIO_DIR), or $TRACKIO_SERVER_URL."""

import contextlib

from gan_vae.publish import PROJECT, Replay


def send(replay: Replay) -> str:
    import trackio

    with contextlib.suppress(ValueError):  # there is no such project yet
        for run in list(trackio.Api().runs(PROJECT)):
            if run.name == replay.name:
                run.delete()
    trackio.init(
        project=PROJECT,
        name=replay.name,
        config=replay.config,
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
    )
    for step, values in replay.rows:
        trackio.log(values, step=step)
    trackio.finish()
    return f'{PROJECT}/{replay.name}; trackio show --project {PROJECT}'
