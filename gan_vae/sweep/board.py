"""What TensorBoard's table of hyperparameters shows of a sweep: the keys that differ.

Every run states all of its config. A record of the experiment in the sweep's folder
names the columns: the protocol buffers of tensorboard/plugins/hparams/api.proto.
"""

import io
import time
from pathlib import Path

from gan_vae import files
from gan_vae.errors import UserError
from gan_vae.sweep.plan import Metric, Value
from gan_vae.sweep.ranking import Ranked
from gan_vae.sweep.report import shown

_FILE = 'events.out.tfevents.sweep'  # TensorBoard reads what has the first two words


def write(folder: Path, metric: Metric, ranked: list[Ranked]):
    """Replaces the record in `folder`."""
    # these do not import TensorFlow
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    def kind(values: list[Value]):
        types = {type(value) for value in values}
        if types <= {int, float}:
            return api_pb2.DATA_TYPE_FLOAT64
        return api_pb2.DATA_TYPE_BOOL if types == {bool} else api_pb2.DATA_TYPE_STRING

    experiment = api_pb2.Experiment(
        time_created_secs=time.time(),
        hparam_infos=[
            api_pb2.HParamInfo(name=key, type=kind(values))
            for key, values in _values(ranked).items()
        ],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=metric.name))],
    )
    data = plugin_data_pb2.HParamsPluginData(experiment=experiment)
    record = summary_pb2.Summary.Value(
        tag=metadata.EXPERIMENT_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    summary = summary_pb2.Summary(value=[record])
    content = io.BytesIO()
    for event in (
        event_pb2.Event(file_version='brain.Event:2'),
        event_pb2.Event(wall_time=time.time(), summary=summary),
    ):
        RecordWriter(content).write(event.SerializeToString())
    try:
        files.write_among_writers(folder / _FILE, content.getvalue())
    except OSError as error:
        raise UserError(f'cannot write {folder / _FILE}: {error.strerror}') from error


def _values(ranked: list[Ranked]) -> dict[str, list[Value]]:
    """{'section.key': the values of the points}, and the seeds where there are more."""
    points = [r.point for r in ranked]
    values = {key: [p[key] for p in points if key in p] for key in shown(ranked)}
    seeds = [trial.seed for r in ranked for trial in r.trials]
    return values | ({'train.seed': seeds} if len(set(seeds)) > 1 else {})
