"""The only training loop: any Method, any data, resumed exactly.

state <- restore or init
for step:  state, metrics <- train_step(state, batch(step))     <= 2 steps in flight
           now and then: scalars, pictures, evaluation, checkpoint
"""

import math
import time
from collections import deque
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jax

from gan_vae import config as config_lib
from gan_vae import data, methods
from gan_vae.data.source import Source
from gan_vae.devices import hosts, process
from gan_vae.devices.mesh import mesh_of, put
from gan_vae.errors import RunError, UserError, unknown
from gan_vae.evaluation import held_out, measures, of_model, panel
from gan_vae.evaluation.measures import (
    divide,
    draw,
    model_results,
    objective,
    of_cards,
    provenance,
)
from gan_vae.interrupt import Watch
from gan_vae.learning.state import (
    Occasional,
    TrainState,
    named_leaves,
    not_finite,
    sha256,
)
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened as pretrained
from gan_vae.runs.checkpoint import Checkpoints, abstract_state, parse_best
from gan_vae.runs.program import build
from gan_vae.training.hosts import Stop as StopTogether
from gan_vae.training.shown import Shown
from gan_vae.training.writer import Silent, Writer


def train(config, workdir) -> dict:
    """Trains to config.train.steps, from where `workdir` stands; returns the summary.

    The final state is a function of the config alone: interruptions leave no trace.
    """
    workdir = Path(workdir)
    config_lib.validate(config)
    process.prepare()  # before the first question for devices
    reads = config_lib.Reads(config)
    # before anything slow
    methods.check_kind(config, data.kind_of(config.data.name))
    mesh_of(config.parallel.devices, config.data.batch_size)
    hosts.agree('number of devices', str(jax.local_device_count()))
    examples = data.training(reads.data)
    held = data.examples(reads.data, reads.data.eval_split)
    spec = examples.spec
    program = build(reads, spec)
    _rehearse(program, config, held)  # so that a bad config leaves no folder behind
    compared = measures.panel_of(reads, program, examples)
    stamp = examples.fingerprint()
    hosts.agree('data', stamp + held.fingerprint())
    with run_folder.claim(workdir, config) if hosts.is_first() else nullcontext():
        if program.method.classes and hosts.is_first():
            run_folder.write_classes(workdir, spec.class_names)
        hosts.barrier('claimed')
        run = _Run(config, reads, workdir, program, examples, held, stamp, compared)
        return run.go()


def _rehearse(program, config, held):
    """Traces the initial state and an evaluation: what the networks rule out, and names
    that do not exist, come to light before anything is written or compiled."""
    state = jax.eval_shape(program.method.init, jax.random.key(0))
    if config.train.init_from:
        pretrained.check(state, config.train.init_from)
    of_samples, of_the_model = divide(config.eval.metrics)
    for name in of_the_model:
        of_model.check(name, program.method)
    best = parse_best(config.train.best_metric)
    if config.train.patience and not best:
        raise UserError(
            f'config.train.patience={config.train.patience} waits for a better '
            "config.train.best_metric: set it, as 'max:eval/elbo'"
        )
    if best:
        found = held_out.names(program, state, held, config.eval.batch_size)
        found += panel.names(of_samples)
        found += [key for name in of_the_model for key in of_model.names(name)]
        if best[1] not in (known := [f'eval/{name}' for name in found]):
            raise unknown('metric in config.train.best_metric', best[1], known)


class _Run:
    """One process's part of a run: what stays open, and where it stands."""

    def __init__(
        self, config, reads, workdir, program, examples, held, stamp, compared
    ):
        self.config, self.workdir, self.program = config, workdir, program
        self.examples, self.held = examples, held
        self.fingerprint = stamp
        settings = reads.train
        self.steps, self.seed = settings.steps, settings.seed
        self.init_from, self.begun_from = settings.init_from, None
        self.patience = settings.patience
        self.log_steps, self.image_steps = settings.log_steps, settings.image_steps
        evaluation = reads.eval
        self.eval_steps, self.eval_batch = evaluation.every_steps, evaluation.batch_size
        self.metrics, self.metrics_num = evaluation.metrics, evaluation.num_samples
        self.checkpoint_steps = settings.checkpoint_steps
        self.checkpoints = Checkpoints(
            workdir / 'checkpoints',
            settings.keep_latest,
            settings.keep_every_steps,
            settings.best_metric,
        )
        self.source = Source(
            examples,
            config.data.batch_size * program.method.batches_per_step,
            self.seed,
            jax.process_index(),
            jax.process_count(),
        )
        self.shown = Shown(config, program, examples, held, settings.num_samples)
        self.per_step = config.data.batch_size
        self.speed = f'perf/{data.noun(self.shown.kind)}_per_second'
        self.dead_settings = reads.unread_settings()
        self.seconds = 0.0
        self.speeds: list[float] = []
        self.last_save: int | None = None
        self.state_sha256 = ''
        self.panel = compared
        self.results: dict[str, dict] = {}  # of the last evaluation
        self.evaluated = False  # at the last step
        # the best value of train.best_metric, its step, and how many came after
        self.ranked: tuple[float, int, int] | None = None

    def go(self) -> dict:
        try:
            state = self._start()
            summary = run_folder.read_summary(self.workdir)
            step = int(state.step)
            if step == summary.get('step') and self._ends(step):
                self.say(f'{self.workdir}: already at step {step}, nothing to do')
                return summary
            first = hosts.is_first()
            self.writer = Writer(self.workdir, self.config, step) if first else Silent()
            try:
                with Watch() if jax.process_count() == 1 else StopTogether() as watch:
                    state = self._loop(state, watch)
                return self._finish(state, watch.asked)
            finally:
                self.writer.close()
        except OSError as error:
            raise RunError(
                f'cannot write in {self.workdir}: {error.strerror or error}; earlier '
                'checkpoints are intact: make room and run the same command again'
            ) from error
        finally:
            self.checkpoints.close()

    def say(self, text: str):
        if hosts.is_first():
            print(text, flush=True)

    def _start(self) -> TrainState:
        """The state to go on from: the newest checkpoint, or a new one."""
        init = self.program.method.init
        sharding = self.program.sharding
        found = self.checkpoints.restore(abstract_state(init, sharding))
        hosts.agree('newest whole checkpoints', str(found and int(found[0].step)))
        self.say(self.program.method.objective)
        self.say(self.program.rows)
        for note in dict.fromkeys((self.examples.note, self.held.note)):
            if note:
                self.say(note)
        for key in self.dead_settings:
            self.say(f'warning: config.{key} is set, but nothing reads it')
        if found is None:
            self.say(f'{self.workdir}: a new run of {self.steps} steps')
            # run once: not worth the compiler's effort (1 s instead of 8)
            quick = {'xla_backend_optimization_level': 0}
            make = jax.jit(init, out_shardings=sharding, compiler_options=quick)
            state = make(jax.random.key(self.seed))
            if self.init_from:
                state, self.begun_from = pretrained.begin(state, self.init_from)
                self.say(
                    f'begun with the weights of {self.init_from}, step '
                    f'{self.begun_from["step"]}'
                )
            return state
        state, run = found
        self.begun_from = run.get('begun_from')
        self.ranked = run.get('ranked') and tuple(run['ranked'])
        if run['data'] != self.fingerprint:
            raise UserError(
                f'the data have changed since {self.workdir} was trained: give the run '
                'a new --workdir, or bring the old data back'
            )
        self.seconds = run['seconds']
        self.last_save, self.state_sha256 = int(state.step), run['state_sha256']
        if self.last_save > self.steps:
            raise UserError(
                f'{self.workdir} is at step {self.last_save} already, past '
                f'config.train.steps={self.steps}'
            )
        self.say(f'{self.workdir}: going on from step {self.last_save} of {self.steps}')
        return state

    def _loop(self, state: TrainState, watch: Watch | StopTogether) -> TrainState:
        step = int(state.step)
        if step == 0:
            self.shown.at_the_start(self.writer, state, self.source.order(0))
        pending: deque[tuple[int, Any]] = deque()
        self.mark = (step, time.monotonic())
        last_time = time.monotonic()
        while not self._ends(step) and not watch.after(step):
            batch = put(self.source.batch(step), self.program.mesh)
            state, metrics = self.program.train_step(state, batch)
            step += 1
            pending.append((step, metrics))
            if len(pending) > 2:  # so the host reads what the devices have done with
                self._read(*pending.popleft())
            due = (self.image_steps, self.eval_steps, self.checkpoint_steps)
            if any(every and step % every == 0 for every in due) or step == self.steps:
                while pending:
                    self._read(*pending.popleft())
                self._due(state, step)
            now = time.monotonic()
            self.seconds, last_time = self.seconds + now - last_time, now
        while pending:
            self._read(*pending.popleft())
        return state

    def _ends(self, step: int) -> bool:
        """Whether the run is through, or nothing better is to be waited for."""
        tired = self.patience and self.ranked and self.ranked[2] >= self.patience
        return step >= self.steps or bool(tired)

    def _rank(self, step: int, metrics: dict[str, float]):
        """Counts the evaluations since the best one."""
        mode, name = self.checkpoints.best
        value, sign = metrics[name], 1 if mode == 'max' else -1
        best, at, since = self.ranked or (-sign * math.inf, step, 0)
        better = sign * value > sign * best
        self.ranked = (value, step, 0) if better else (best, at, since + 1)

    def _read(self, step: int, metrics):
        """Fetches the metrics of a finished step; ends the run if one is not finite."""
        self.writer.progress(step)
        values = _values(jax.device_get(metrics))
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            self.writer.scalars(step, {f'train/{k}': v for k, v in values.items()})
            self._diverged(step, f'{bad[0]} is {values[bad[0]]}')
        if step % self.log_steps == 0:
            scalars = {f'train/{name}': value for name, value in values.items()}
            before, since = self.mark
            self.mark = (step, time.monotonic())
            speed = (step - before) * self.per_step / (self.mark[1] - since)
            self.speeds.append(speed)
            self.writer.scalars(step, scalars | {self.speed: speed})

    def _diverged(self, step: int, what: str):
        self.checkpoints.wait()
        done = self.checkpoints.steps()
        good = (
            f'checkpoint {done[-1]} is the last good one' if done else 'none was saved'
        )
        raise RunError(
            f'the run diverged at step {step}: {what}; {good} in '
            f'{self.checkpoints.folder}. Lower the learning rate or change the seed, '
            'in a new --workdir'
        )

    def _due(self, state: TrainState, step: int):
        """What is due at this step, after its metrics were read."""
        last = step == self.steps
        if last or step % self.image_steps == 0:
            self.shown.at(self.writer, state, step)
        save = last or step % self.checkpoint_steps == 0
        ranked = save and self.checkpoints.best
        if save and not ranked:  # what was trained is safe before it is measured
            self._save(state, step)
        if last or ranked or (self.eval_steps and step % self.eval_steps == 0):
            metrics = self._evaluate(state, step)
            if ranked:
                self._rank(step, metrics)
                self._save(state, step, metrics)
                if self._ends(step) and not last:
                    last = True
                    self.shown.at(self.writer, state, step)
        self.evaluated = last
        self.mark = (step, time.monotonic())

    def _evaluate(self, state: TrainState, step: int) -> dict[str, float]:
        """Writes the measures of this step; `results` holds them with their cards."""
        config, program = self.config, self.program
        split = config.data.eval_split
        _, of_the_model = divide(self.metrics)
        self.results = objective(config, program, state, self.held, split)
        self.results |= model_results(
            config, program, state, self.held, split, of_the_model
        )
        if self.panel:
            shown = program.method.settle(state.weights())
            made, labels = draw(
                program.method, shown, self.seed, self.metrics_num, self.examples
            )
            about = provenance(config, step, self.seed)
            self.results |= of_cards(self.panel.measure(made, about, labels=labels))
        metrics = {name: found['value'] for name, found in self.results.items()}
        self.writer.scalars(step, metrics)
        return metrics

    def _save(self, state: TrainState, step: int, metrics: dict | None = None):
        leaves = named_leaves(state)
        bad = not_finite(leaves)
        if bad:
            self._diverged(step, f'{bad} is not finite')
        self.state_sha256 = sha256(leaves)
        run = {
            'state_sha256': self.state_sha256,
            'seconds': self.seconds,
            'data': self.fingerprint,
            'git_commit': run_folder.git_commit(),
            'begun_from': self.begun_from,
            'ranked': self.ranked,
        }
        ranked = metrics if self.checkpoints.best else None
        self.checkpoints.save(state, run, ranked)
        self.last_save = step

    def _finish(self, state: TrainState, asked: str | None) -> dict:
        step = int(state.step)
        if self.last_save != step:
            self._save(state, step)
        self.checkpoints.wait()
        if asked:
            self.writer.say(
                f'{asked}: saved step {step} of {self.steps} in {self.workdir}; the '
                'same command goes on from there'
            )
            return {}
        summary = self._summary(state, step)
        self.writer.finish(summary)
        if step < self.steps:
            self.writer.say(
                f'{self.patience} evaluations without a better '
                f'{self.checkpoints.best[1]}: stopped before step {self.steps}'
            )
        if self.ranked:
            self.writer.say(
                f'best {self.checkpoints.best[1]} {self.ranked[0]:.6g}, '
                f'step {self.ranked[1]}: --step=best'
            )
        self.writer.say(
            f'done: step {step} in {self.seconds:.0f} s\n'
            f'  pictures     {self.workdir}/samples/{step:07d}.png, samples.gif\n'
            f'  TensorBoard  tensorboard --logdir {self.workdir}\n'
            f'  summary      {self.workdir}/summary.json\n'
            f'  more         python launch.py --mode=sample --workdir={self.workdir}'
            + (' --class=NAME' if self.program.method.classes else '')
        )
        return summary

    def _summary(self, state: TrainState, step: int) -> dict:
        if not self.evaluated:
            self._evaluate(state, step)
        steady = sorted(self.speeds[1:] or self.speeds)
        usual = steady[len(steady) // 2] if steady else None
        return {
            'config_name': self.config.name,
            'step': step,
            'metrics': self.results,
            self.speed.removeprefix('perf/'): usual,
            'seconds': self.seconds,
            'state_sha256': self.state_sha256,
            'begun_from': self.begun_from,
            'best': self.ranked and {'value': self.ranked[0], 'step': self.ranked[1]},
            'devices': [str(d) for d in self.program.mesh.devices.flat],
            'versions': run_folder.versions(),
            'git_commit': run_folder.git_commit(),
        }


def _values(metrics: dict) -> dict[str, float]:
    """{name: value} of the metrics of an update, of those that acted in it."""
    values = {}
    for name, metric in metrics.items():
        if not isinstance(metric, Occasional):
            values[name] = float(metric)
        elif metric.acted:
            values[name] = float(metric.value)
    return values
