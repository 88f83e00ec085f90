"""The only training loop: any Method, any data, resumed exactly.

state <- initial or restored
for each step:  state, metrics <- train_step(state, batch(step))   <= 2 steps in flight
                at their intervals: scalars, pictures, evaluation, checkpoint
"""

import math
import threading
import time
from collections import deque
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import jax

from gan_vae import config as config_lib
from gan_vae import data, methods, modules
from gan_vae.data import licences
from gan_vae.data.poisson import Poisson
from gan_vae.data.source import Source, Spec
from gan_vae.devices import hosts, process
from gan_vae.devices.mesh import mesh_of, put
from gan_vae.errors import RunError, UserError, counted, unknown
from gan_vae.evaluation import copies, latents, measures
from gan_vae.interrupt import Watch
from gan_vae.learning.state import (
    TrainState,
    abstract_state,
    named_leaves,
    not_finite,
    sha256,
)
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened
from gan_vae.runs.checkpoint import Checkpoints
from gan_vae.runs.program import Program, build, start
from gan_vae.training.gallery import Gallery
from gan_vae.training.hosts import Stop as StopTogether
from gan_vae.training.progress import Progress, Schedule, Window, acting
from gan_vae.training.writer import Silent, Writer

_TRAINING = threading.Lock()


class Setup(NamedTuple):
    """A run for which everything that can be refused has been accepted."""

    config: Any
    workdir: Path
    program: Program
    source: Source
    measures: measures.Measures
    gallery: Gallery
    schedule: Schedule
    fingerprint: str  # of the data trained on
    modules: dict[str, str]  # of the user's own that the config names, and their hashes
    licence: str  # of the set; '' where nobody says
    warnings: list[str]  # keys that are set, and that nothing reads


class Run(NamedTuple):
    """What is open while a run trains."""

    setup: Setup
    progress: Progress
    checkpoints: Checkpoints
    writer: Writer | Silent
    window: Window


def train(config, workdir) -> dict:
    """Trains to config.train.steps from where `workdir` stands; returns the summary.

    The final state is a function of the config alone: interruptions leave no trace. The
    summary is {} where a signal to the command has stopped the run, see interrupt.py.
    Raises a UserError for what the config, the data or the folder rule out, and a
    RunError for a run that has to stop. Works in any thread, one run at a time.
    """
    setup = set_up(config, Path(workdir))
    with alone(), claimed(setup), opened_checkpoints(setup) as checkpoints:
        progress, state = begin(setup, checkpoints)
        if first := hosts.is_first():
            run_folder.write_config(setup.workdir, config)
        summary = run_folder.read_summary(setup.workdir)
        if progress.step == summary.get('step') and progress.ended(setup.schedule):
            say(f'{setup.workdir}: already at step {progress.step}, nothing to do')
            return summary
        writer: Writer | Silent = Silent()
        if first:
            writer = Writer(setup.workdir, config, progress.step)
        window = Window(progress.step, config.data.batch_size)
        run = Run(setup, progress, checkpoints, writer, window)
        watch = Watch if jax.process_count() == 1 else StopTogether
        try:
            with watch('the step at hand is finished and saved', waits=False) as watch:
                state = train_steps(run, state, watch)
            return finish(run, state, watch.asked)
        finally:
            writer.close()


def set_up(config, workdir: Path) -> Setup:
    """Builds a run without compiling or writing anything. Raises UserErrors."""
    config_lib.validate(config)
    process.prepare()  # before the first question for devices
    reads = config_lib.Reads(config)
    # before anything slow
    methods.check_kind(config, data.kind_of(config.data.name))
    mesh_of(config.parallel.devices, config.data.batch_size)
    hosts.agree('number of devices', str(jax.local_device_count()))
    examples = data.training(reads.data)
    text = examples.spec.text if examples.kind == 'images' else None
    held_out = data.examples(reads.data, reads.data.eval_split, text)
    program = build(reads, examples.spec)
    schedule = Schedule.of(reads.train, reads.eval)
    check(config, schedule, program, held_out)
    measured = measures.Measures(reads, program, examples, held_out, name=workdir.name)
    fingerprint = examples.fingerprint()
    if program.method.depends:
        fingerprint += f', {program.method.depends()}'
    hosts.agree('data', fingerprint + held_out.fingerprint())
    if measured.account:
        measured.account.check(config.train.steps)
    source = source_of(reads, program, examples)
    copied = copies.Check(examples, config.data.flip, program.mesh)
    num = reads.train.num_samples
    gallery = Gallery(config, program, examples, held_out, num, copied)
    for key in ('init_from', 'keep_latest', 'keep_every_steps'):
        getattr(reads.train, key)  # read later, of the config
    return Setup(
        config,
        workdir,
        program,
        source,
        measured,
        gallery,
        schedule,
        fingerprint,
        modules.digests(config_lib.flatten(config).values()),
        licences.of(config.data),
        reads.unread_settings(),
    )


def source_of(config, program: Program, examples) -> Source:
    """The batches of a run, this host's rows of them."""
    size, each = config.data.batch_size, program.method.batches_per_step
    seed, hosts = config.train.seed, (jax.process_index(), jax.process_count())
    if config.privacy.noise_multiplier:
        unit = program.mesh.size * config.parallel.accumulate
        return Poisson(examples, size, each, unit, seed, *hosts)
    return Source(examples, size * each, seed, *hosts)


def check(config, schedule: Schedule, program: Program, held_out):
    """Traces the initial state and an evaluation, so that what the networks rule out,
    and names that do not exist, are errors before anything is written or compiled."""
    state = jax.eval_shape(program.method.init, jax.random.key(0))
    if config.train.init_from:
        opened.check(config, state, config.train.init_from)
    names = measures.names(config, program, held_out)
    if schedule.best and schedule.best[1] not in names:
        raise unknown('metric in config.train.best_metric', schedule.best[1], names)


@contextmanager
def alone():
    """Inside, no other thread trains: Orbax mixes up saves at the same time."""
    if not _TRAINING.acquire(blocking=False):
        raise UserError(
            'another thread of this process is training: train one run after the '
            'other, or each in a process of its own'
        )
    try:
        yield
    finally:
        _TRAINING.release()


@contextmanager
def claimed(setup: Setup):
    """Inside, the run folder is this run's; the first host locks it for all."""
    first = hosts.is_first()
    with run_folder.claim(setup.workdir, setup.config) if first else nullcontext():
        spec = setup.gallery.examples.spec
        if first and setup.program.method.classes and isinstance(spec, Spec):
            run_folder.write_classes(setup.workdir, spec.class_names)
        if first and (text := spec.text):
            run_folder.write_text(setup.workdir, text)
        hosts.barrier('claimed')
        yield


@contextmanager
def opened_checkpoints(setup: Setup):
    """The run's checkpoints. Inside, a failure to write is a RunError."""
    train = setup.config.train
    checkpoints = Checkpoints(
        setup.workdir / 'checkpoints',
        train.keep_latest,
        train.keep_every_steps,
        train.best_metric,
    )
    try:
        yield checkpoints
    except OSError as error:
        raise RunError(
            f'cannot write in {setup.workdir}: {error.strerror or error}; earlier '
            'checkpoints are intact: make room and run the same command again'
        ) from error
    finally:
        checkpoints.close()


def say(text: str):
    """A line on the terminal of the first host."""
    if hosts.is_first():
        print(text, flush=True)


def begin(setup: Setup, checkpoints: Checkpoints) -> tuple[Progress, TrainState]:
    """Where the run stands: at its newest whole checkpoint, or at its beginning."""
    init, sharding = setup.program.method.init, setup.program.sharding
    steps, workdir = setup.schedule.steps, setup.workdir
    restored = checkpoints.restore(abstract_state(init, sharding))
    hosts.agree('newest whole checkpoints', str(restored and int(restored[0].step)))
    of_licence = licences.warning(setup.licence)
    notes = setup.gallery.examples.note, setup.gallery.held_out.note, of_licence
    lines = [setup.program.method.objective, setup.program.rows, *dict.fromkeys(notes)]
    if account := setup.measures.account:
        lines.append(
            f'epsilon {account.spent(steps):.3g} at the end: {account.words()}'
        )
        if not setup.config.train.seed:
            lines.append(
                'warning: who guesses config.train.seed=0 can compute the noise of '
                'this private run: choose a seed at random, and keep it to yourself'
            )
    for line in filter(None, lines):
        say(line)
    for key in setup.warnings:
        say(f'warning: config.{key} is set, but nothing reads it')
    if restored is None:
        say(
            f'{workdir}: a new run of {counted(steps, "step")}; pictures of it come to '
            f'{workdir / "samples"}'
        )
        return initial(setup)
    state, record = restored
    progress = Progress.from_json(int(state.step), record)
    if record['data'] != setup.fingerprint:
        depends = setup.program.method.depends
        files = ' or a file that config.method names' if depends else ''
        raise UserError(
            f'the data{files} have changed since {workdir} was trained: give the run a '
            'new --workdir, or bring the old ones back'
        )
    if progress.step > steps:
        raise UserError(
            f'{workdir} is at step {progress.step} already, past '
            f'config.train.steps={steps}'
        )
    say(f'{workdir}: going on from step {progress.step} of {steps}')
    known = record.get('modules', setup.modules)
    if other := dict(known.items() ^ setup.modules.items()):
        names = ', '.join(sorted(other))
        say(f'warning: {names} changed since step {progress.step}: it is another run')
    return progress, state


def initial(setup: Setup) -> tuple[Progress, TrainState]:
    """The state at step 0, with the weights of config.train.init_from if it is set."""
    at, work = time.monotonic(), time.process_time()
    batch = put(setup.source.batch(0), setup.program.mesh)
    with patience():
        state = start(setup.program, setup.config.train.seed, batch)
    spent, worked = time.monotonic() - at, time.process_time() - work
    progress = Progress(seconds=spent, core_seconds=worked)
    if other := setup.config.train.init_from:
        state, record, anew = opened.begin(setup.config, state, other)
        begin = setup.program.method.begin
        state = jax.jit(begin, out_shardings=setup.program.sharding)(state)
        progress.init_from = record
        say(f'initial weights are those of {other}, step {record["step"]}')
        if anew:
            say(f'it has no {" and no ".join(anew)} to begin with: that starts anew')
    return progress, state


def train_steps(run: Run, state: TrainState, watch: Watch) -> TrainState:
    """Trains until the run has ended or is to stop; returns the state it reached.

    A signal before the end of the first step ends the process at once: there is nothing
    to save, and a compilation may take minutes.
    """
    setup, progress, schedule = run.setup, run.progress, run.setup.schedule
    if progress.step == 0:
        setup.gallery.draw_data(run.writer, state, setup.source.order(0))
    in_flight: deque[tuple[int, Any]] = deque()
    run.window.restart_clock(progress.step)
    last_time, last_work = time.monotonic(), time.process_time()
    while not progress.ended(schedule) and not watch.after(progress.step):
        batch = put(setup.source.batch(progress.step), setup.program.mesh)
        # the first call compiles, of which nothing is seen
        with nullcontext() if watch.waits else patience():
            state, metrics = setup.program.train_step(state, batch)
        progress.step += 1
        in_flight.append((progress.step, metrics))
        due = schedule.due(progress.step, bool(metrics_due(run)))
        # The host reads what the devices have finished while they go on.
        drain(run, in_flight, keep=2 if watch.waits and not due else 0)
        watch.waits = True
        for event in due:
            EVENTS[event](run, state)
        if due:
            run.window.restart_clock(progress.step)
        now, work = time.monotonic(), time.process_time()
        progress.seconds += now - last_time
        progress.core_seconds += work - last_work
        last_time, last_work = now, work
    drain(run, in_flight, keep=0)
    return state


@contextmanager
def patience(seconds: float = 10.0):
    """A line if what is inside takes longer."""
    line = 'compiling the first step, which may take a minute or two'
    timer = threading.Timer(seconds, say, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def drain(run: Run, in_flight: deque, keep: int):
    """Reads the metrics of all but the newest `keep` steps.

    Logs their means over each window of config.train.log_steps. A metric that is not
    finite in a step in which it acts ends the run.
    """
    while len(in_flight) > keep:
        step, metrics = in_flight.popleft()
        run.writer.progress(step)
        values = acting(jax.device_get(metrics))
        for name, value, _ in values:
            if not math.isfinite(value):
                run.writer.scalars(step, {f'train/{n}': v for n, v, _ in values})
                raise diverged(run, step, f'{name} is {value}')
        run.window.add(values)
        if step % run.setup.schedule.log_steps == 0:
            means, speed = run.window.close(step)
            run.progress.speeds.append(speed)
            scalars = {f'train/{name}': mean for name, mean in means.items()}
            scalars[f'perf/{speed_name(run.setup)}'] = speed
            run.writer.scalars(step, scalars)


def speed_name(setup: Setup) -> str:
    return f'{data.noun(setup.gallery.kind)}_per_second'


def diverged(run: Run, step: int, what: str) -> RunError:
    """The error of a run whose numbers are not finite."""
    run.checkpoints.wait()
    steps = run.checkpoints.steps()
    good = f'checkpoint {steps[-1]} is the last good one' if steps else 'none was saved'
    return RunError(
        f'the run diverged at step {step}: {what}; {good} in '
        f'{run.checkpoints.folder}. Lower the learning rate or change the seed, '
        'in a new --workdir'
    )


def metrics_due(run: Run):
    """The plan of the metrics that are due at this step, each by its own interval."""
    schedule, step = run.setup.schedule, run.progress.step
    if step == schedule.steps:
        return run.setup.measures.plan
    ranking = schedule.ranking(step)
    return run.setup.measures.due(step, schedule.evaluates(step), ranking)


def draw_pictures(run: Run, state: TrainState):
    run.setup.gallery.draw(run.writer, state, run.progress.step)


def evaluate(run: Run, state: TrainState):
    """Measures what is due, and ranks the step where a checkpoint follows.

    Where patience has run out the run ends here, and draws its last pictures.
    """
    progress, schedule = run.progress, run.setup.schedule
    step, due = progress.step, metrics_due(run)
    values = measure(run, state, due, objective=schedule.evaluates(step))
    if ranking := schedule.ranking(step):
        progress.best = schedule.rank(progress.best, step, values[ranking])
    progress.evaluated = progress.ended(schedule) and due == run.setup.measures.plan
    if progress.ended(schedule) and step < schedule.steps:
        draw_pictures(run, state)


def measure(run: Run, state: TrainState, due, objective: bool) -> dict[str, float]:
    """{'eval/NAME': value}, written as scalars; `progress` keeps the cards too."""
    run.progress.results = run.setup.measures.measure(state, due, objective)
    values = {name: r['value'] for name, r in run.progress.results.items()}
    run.writer.scalars(run.progress.step, values)
    if line := latents.alarm(values):
        run.writer.say(line)
    return values


def save(run: Run, state: TrainState):
    """Saves a checkpoint; a state that is not finite ends the run."""
    progress, leaves = run.progress, named_leaves(state)
    if bad := not_finite(leaves):
        raise diverged(run, progress.step, f'{bad} is not finite')
    progress.state_sha256 = sha256(leaves)
    record = progress.to_json() | {
        'data': run.setup.fingerprint,
        'modules': run.setup.modules,
        'git_commit': run_folder.git_commit(),
        'licence': run.setup.licence,
        'privacy': '',
    }
    if account := run.setup.measures.account:
        spent = account.spent(progress.step)
        record['privacy'] = f'epsilon {spent:.3g}, {account.words()}'
    values = None  # a checkpoint of a stop has no rank
    if ranking := run.setup.schedule.ranking(progress.step):
        values = {ranking: progress.results[ranking]['value']}
    run.checkpoints.save(state, record, values)
    progress.saved_step = progress.step


EVENTS = {'pictures': draw_pictures, 'checkpoint': save, 'evaluation': evaluate}


def finish(run: Run, state: TrainState, signal: str | None) -> dict:
    """Saves where the run has stopped; the summary of one that has ended, else {}."""
    setup, progress, writer = run.setup, run.progress, run.writer
    steps, workdir, ranks = setup.schedule.steps, setup.workdir, setup.schedule.best
    if progress.saved_step != progress.step:
        save(run, state)
    run.checkpoints.wait()
    if signal:
        writer.say(
            f'{signal}: saved step {progress.step} of {steps} in {workdir}; the same '
            'command goes on from there'
        )
        return {}
    if not progress.evaluated:
        measure(run, state, setup.measures.plan, objective=True)
    result = summary_of(setup, progress)
    writer.finish(result)
    if ranks and progress.step < steps:
        writer.say(
            f'{setup.schedule.patience} evaluations without a better '
            f'{ranks[1]}: stopped before step {steps}'
        )
    if ranks and progress.best:
        writer.say(
            f'best {ranks[1]} {progress.best.value:.6g}, step {progress.best.step}: '
            '--step=best'
        )
    draws = setup.program.method.generate
    more = 'gan_vae sample' if draws else 'gan_vae.art translate PICTURE'
    writer.say(
        f'done: step {progress.step} in {progress.seconds:.0f} s\n'
        f'  pictures     {workdir}/samples/{progress.step:07d}.png, samples.gif\n'
        f'  TensorBoard  tensorboard --logdir {workdir}\n'
        f'  summary      {workdir}/summary.json\n'
        f'  more         python -m {more} --workdir={workdir}'
        + (' --class=NAME' if setup.program.method.classes else '')
    )
    return result


def summary_of(setup: Setup, progress: Progress) -> dict:
    """What summary.json records."""
    steady, best = sorted(progress.speeds[1:] or progress.speeds), progress.best
    return {
        'config_name': setup.config.name,
        'step': progress.step,
        'metrics': progress.results,
        speed_name(setup): steady[len(steady) // 2] if steady else None,
        'seconds': progress.seconds,
        'state_sha256': progress.state_sha256,
        'begun_from': progress.init_from,
        'best': best and {'value': best.value, 'step': best.step},
        'devices': [str(d) for d in setup.program.mesh.devices.flat],
        'versions': run_folder.versions(),
        'git_commit': run_folder.git_commit(),
    }
