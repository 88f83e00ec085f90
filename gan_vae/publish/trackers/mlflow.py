"""MLflow, at $MLFLOW_TRACKING_URI, or else sqlite:///mlflow.db."""

import os
from typing import Any

from gan_vae.publish import PROJECT, Replay

IDENTITY = 'gan_vae.run'  # a tag
AT_ONCE = 1000  # the most metrics, and the most params by a tenth, that MLflow takes


def send(library: Any, replay: Replay) -> str:
    Metric, Param = library.entities.Metric, library.entities.Param
    client = library.MlflowClient(
        os.environ.get('MLFLOW_TRACKING_URI', 'sqlite:///mlflow.db')
    )
    experiment = client.get_experiment_by_name(PROJECT)
    number = (
        experiment.experiment_id if experiment else client.create_experiment(PROJECT)
    )
    sent = client.search_runs([number], f"tags.`{IDENTITY}` = '{replay.identity}'")
    run = sent[0] if sent else client.create_run(number, run_name=replay.name)
    name = run.info.run_id
    if not sent:
        client.set_tag(name, IDENTITY, replay.identity)
        params = [Param(key, str(value)) for key, value in replay.config.items()]
        for start in range(0, len(params), AT_ONCE // 10):
            client.log_batch(name, params=params[start : start + AT_ONCE // 10])
    metrics = [  # MLflow keeps a value of the same time and step once
        Metric(key, value, timestamp=run.info.start_time, step=step)
        for step, values in replay.rows
        for key, value in values.items()
    ]
    for start in range(0, len(metrics), AT_ONCE):
        client.log_batch(name, metrics=metrics[start : start + AT_ONCE])
    client.set_terminated(name)
    return f'{PROJECT}/{replay.name} of {client.tracking_uri}'
