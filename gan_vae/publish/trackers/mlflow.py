"""MLflow, at $MLFLOW_TRACKING_URI, or else sqlite:///mlflow.db."""

import os

from gan_vae.publish import PROJECT, Replay

IDENTITY, STEP = 'gan_vae.run', 'gan_vae.step'
AT_ONCE = 1000  # the most metrics, and the most params by a tenth, that MLflow takes


def send(replay: Replay) -> str:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient(os.environ.get('MLFLOW_TRACKING_URI', 'sqlite:///mlflow.db'))
    experiment = client.get_experiment_by_name(PROJECT)
    number = (
        experiment.experiment_id if experiment else client.create_experiment(PROJECT)
    )
    sent = client.search_runs([number], f"tags.`{IDENTITY}` = '{replay.identity}'")
    run = sent[0] if sent else client.create_run(number, run_name=replay.name)
    name, known = run.info.run_id, int(run.data.tags.get(STEP, -1))
    if not sent:
        client.set_tag(name, IDENTITY, replay.identity)
        params = [Param(key, str(value)) for key, value in replay.config.items()]
        for start in range(0, len(params), AT_ONCE // 10):
            client.log_batch(name, params=params[start : start + AT_ONCE // 10])
    metrics = [
        Metric(key, value, timestamp=run.info.start_time, step=step)
        for step, values in replay.rows
        for key, value in values.items()
        if step > known
    ]
    for start in range(0, len(metrics), AT_ONCE):
        client.log_batch(name, metrics=metrics[start : start + AT_ONCE])
    client.set_tag(name, STEP, replay.rows[-1][0])
    client.set_terminated(name)
    return f'{PROJECT}/{replay.name} of {client.tracking_uri}'
