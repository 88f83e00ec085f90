"""What TensorBoard's table of hyperparameters shows of a sweep: the keys that differ.

Every run states all of its config. A record of the experiment in the sweep's folder
names the columns: the protocol buffers of tensorboard/plugins/hparams/api.proto.
"""

import io
import time
from importlib import import_module
from pathlib import Path

from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.sweep.plan import Metric, Value
from gan_vae.sweep.ranking import Ranked, compared

_FILE = 'events.out.tfevents.sweep'  # TensorBoard reads what has the first two words


def write(folder: Path, metric: Metric, ranked: list[Ranked]):
    """Replaces the record in `folder`."""
    # these do not import TensorFlow
    from tensorboard.plugins.hparams import metadata
    from tensorboard.summary.writer.record_writer import RecordWriter

    # buffers are made when they are imported: their names are in no source
    events = import_module('tensorboard.compat.proto.event_pb2')
    summaries = import_module('tensorboard.compat.proto.summary_pb2')
    api = import_module('tensorboard.plugins.hparams.api_pb2')
    plugin_data = import_module('tensorboard.plugins.hparams.plugin_data_pb2')

    def kind(values: list[Value]):
        types = {type(value) for value in values}
        if types <= {int, float}:
            return api.DATA_TYPE_FLOAT64
        return api.DATA_TYPE_BOOL if types == {bool} else api.DATA_TYPE_STRING

    experiment = api.Experiment(
        time_created_secs=time.time(),
        hparam_infos=[
            api.HParamInfo(name=key, type=kind(values))
            for key, values in _values(ranked).items()
        ],
        metric_infos=[api.MetricInfo(name=api.MetricName(tag=metric.name))],
    )
    data = plugin_data.HParamsPluginData(experiment=experiment)
    record = summaries.Summary.Value(
        tag=metadata.EXPERIMENT_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    summary = summaries.Summary(value=[record])
    content = io.BytesIO()
    for event in (
        events.Event(file_version='brain.Event:2'),
        events.Event(wall_time=time.time(), summary=summary),
    ):
        RecordWriter(content).write(event.SerializeToString())
    try:
        files.write_among_writers(folder / _FILE, content.getvalue())
    except OSError as error:
        raise UserError(f'cannot write {folder / _FILE}: {error.strerror}') from error


def _values(ranked: list[Ranked]) -> dict[str, list[Value]]:
    """{'section.key': the values of the points}, and the seeds where there are more."""
    points = [r.point for r in ranked]
    values: dict[str, list[Value]] = {
        key: [p[key] for p in points if key in p] for key in compared(ranked)
    }
    seeds: list[Value] = [trial.seed for r in ranked for trial in r.trials]
    return values | ({'train.seed': seeds} if len(set(seeds)) > 1 else {})
