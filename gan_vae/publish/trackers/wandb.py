"""Weights & Biases; offline with WANDB_MODE=offline."""

from typing import Any

from gan_vae.publish import PROJECT, Replay


def send(library: Any, replay: Replay) -> str:
    run = library.init(
        project=PROJECT,
        id=replay.identity,
        name=replay.name,
        config=replay.config,
        resume='allow',
    )
    known = run.step  # the next step of a run that is there already
    for step, values in replay.rows:
        if step >= known:
            run.log(values, step=step)
    place = run.url or run.dir
    run.finish()
    return place
