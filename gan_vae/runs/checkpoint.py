"""Checkpoints of a run: the one file that knows Orbax.

<folder>/<step>/ holds three items: `model` (the averaged weights: all that sampling
needs), `train` (the rest of the state) and `run` (JSON: the hash of the state, the time
spent). A save is written beside its place and renamed, so a killed one leaves the
others whole; a restore compares the hash, so that no damaged file can pass.
"""

import functools
import logging
import shutil
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import absl.logging
import jax
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers as policies

from gan_vae.devices import hosts
from gan_vae.errors import RunError, UserError, short
from gan_vae.learning.state import TrainState, Weights, named_leaves, sha256

args = ocp.args
Record = dict[str, Any]  # of a checkpoint: the hash of its state, the time spent, ...
_SAVE_SECONDS = 300  # that hosts wait for each other's part of a save


@functools.cache
def _silence_orbax():
    """Its failures are reported in one line, not by the tracebacks that it prints."""
    absl.logging.set_verbosity(absl.logging.FATAL)
    logging.getLogger('asyncio').setLevel(logging.CRITICAL)
    default = sys.unraisablehook

    def hook(event: 'sys.UnraisableHookArgs'):
        # A failed read or save leaves coroutines, which find their event loop closed.
        code = getattr(event.object, 'cr_code', None)
        of_orbax = code is not None and 'orbax' in Path(code.co_filename).parts
        if not of_orbax and str(event.exc_value) != 'Event loop is closed':
            default(event)

    sys.unraisablehook = hook


def parse_best(text: str) -> tuple[str, str] | None:
    """'min:eval/kl' -> ('min', 'eval/kl'); '' -> None."""
    if not text:
        return None
    mode, _, metric = text.partition(':')
    if mode not in ('min', 'max') or not metric:
        raise UserError(
            f"config.train.best_metric={text!r}: write 'min:eval/NAME' or "
            "'max:eval/NAME'"
        )
    return mode, metric


class Checkpoints:
    """Open while a run lasts; `save` goes on in the background, `close` waits."""

    def __init__(
        self,
        folder: str | Path,
        keep_latest: int = 2,
        keep_every: int = 0,
        best: str = '',
        read_only: bool = False,
    ):
        _silence_orbax()
        self.folder = Path(folder).absolute()
        keep: list[policies.PreservationPolicy] = [policies.LatestN(keep_latest)]
        if keep_every:
            keep.append(policies.EveryNSteps(keep_every))
        self.best = parse_best(best)
        ranking: dict[str, Any] = {}
        if self.best:
            mode, name = self.best
            # BestN without best_fn forgets its metrics when the manager is opened again
            ranking = {'best_fn': lambda metrics: metrics[name], 'best_mode': mode}
            keep.append(
                policies.BestN(
                    get_metric_fn=lambda metrics: metrics[name],
                    reverse=mode == 'min',
                    n=1,
                    keep_checkpoints_without_metrics=False,
                )
            )
        try:
            self._manager = ocp.CheckpointManager(
                self.folder,
                options=ocp.CheckpointManagerOptions(
                    preservation_policy=policies.AnyPreservationPolicy(keep),
                    cleanup_tmp_directories=not read_only,
                    read_only=read_only,
                    async_options=ocp.AsyncOptions(timeout_secs=_SAVE_SECONDS),
                    **ranking,
                ),
                item_names=('model', 'train', 'run'),
            )
        except OSError as error:
            raise UserError(f'cannot write checkpoints in {folder}: {error}') from error

    def steps(self) -> list[int]:
        """The finished checkpoints, oldest first."""
        return sorted(self._manager.all_steps())

    def best_step(self) -> int | None:
        return self._manager.best_step() if self.best else None

    def save(
        self, state: TrainState, run: Record, metrics: dict[str, float] | None = None
    ):
        """Saves the state as its step; the arrays may be donated once this returns."""
        model, train = _split(state)
        items = args.Composite(
            model=args.StandardSave(model),
            train=args.StandardSave(train),
            run=args.JsonSave(run),
        )
        try:
            self._require_room(state)
            self._manager.save(int(state.step), args=items, metrics=metrics, force=True)
        except Exception as error:
            raise self._failed(error) from error

    def _require_room(self, state: TrainState):
        """On many hosts a write that fails half-way is noticed late: ask before."""
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise OSError(f'{needed / 1e6:.1f} MB needed, {free / 1e6:.1f} MB free')

    def wait(self):
        """Returns when the last save is on disk; a RunError if it could not be."""
        try:
            self._manager.wait_until_finished()
            self._manager.check_for_errors()
        except Exception as error:
            raise self._failed(error) from error

    def close(self):
        self.wait()
        self._manager.close()

    def _failed(self, error: Exception) -> RunError:
        done = self._manager.all_steps(read=True)
        last = f'checkpoint {max(done)} is intact' if done else 'none was saved before'
        return RunError(
            f'could not save a checkpoint in {self.folder} ({reason(error)}); {last}: '
            'make room there and run the same command again'
        )

    def restore(
        self, abstract: TrainState, tell: Callable[[str], object] = print
    ) -> tuple[TrainState, Record] | None:
        """The newest whole checkpoint as (state, run), or None where there is none.

        `abstract`: shapes, dtypes and shardings. A damaged newest one is reported by
        `tell` and set aside in <folder>/../damaged.
        """
        faults: dict[int, str] = {}
        for step in reversed(self.steps()):
            try:
                state, run = self._restore_step(step, abstract)
            except UserError:
                raise
            except Exception as error:  # whatever a damaged file makes a reader raise
                faults[step] = reason(error)
                continue
            self._set_aside(faults, step, tell)
            return state, run
        if faults:
            listed = '; '.join(f'{step}: {fault}' for step, fault in faults.items())
            raise UserError(f'no checkpoint in {self.folder} can be used: {listed}')
        return None

    def restore_step(self, abstract: TrainState, step: int | str | None) -> TrainState:
        """The whole state of `step`, the 'best' or the newest; nothing is moved."""
        step = self.chosen(step)
        with self._reading(step):
            return self._restore_step(step, abstract)[0]

    def chosen(self, step: int | str | None) -> int:
        """Which of the finished ones: that step, the 'best', or None: the newest."""
        steps = self.steps()
        if not steps:
            raise UserError(f'no finished checkpoint in {self.folder}')
        if step == 'best':
            if (step := self.best_step()) is None:
                raise UserError(
                    f'--step=best: {self.folder.parent} ranks no checkpoints, as '
                    'config.train.best_metric is not set'
                )
        if step is not None and step not in steps:
            raise UserError(
                f'no checkpoint of step {step} in {self.folder}: has {steps}'
            )
        return steps[-1] if step is None else step

    @contextmanager
    def _reading(self, step: int):
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f'checkpoint {step} in {self.folder} cannot be read: {reason(error)}'
            ) from error

    def _read(self, step: int, items: args.Composite) -> Any:
        """What is stored; a UserError where the arrays have other shapes."""
        try:
            return self._manager.restore(step, args=items)
        except ValueError as error:
            if 'stored shape' not in str(error):
                raise
            raise UserError(
                f'checkpoint {step} in {self.folder} has other shapes than the '
                'networks of its config. Early runs of version 0.1 had other channels '
                'in the discriminators resnet, sngan and sngan_projection at 48 and '
                '64 pixels: train again, or use the code that trained it'
            ) from error

    def _restore_step(self, step: int, abstract: TrainState):
        model, train = _split(abstract)
        items = args.Composite(
            model=args.StandardRestore(model),
            train=args.StandardRestore(train),
            run=args.JsonRestore(),
        )
        item = self._read(step, items)
        state = TrainState(**item.model, **item.train)
        if sha256(named_leaves(state)) != item.run['state_sha256']:
            raise ValueError('its contents do not match its hash')
        return state, item.run

    def _set_aside(
        self, faults: dict[int, str], used: int, tell: Callable[[str], object]
    ):
        for step, fault in faults.items() if hosts.is_first() else ():
            place = self.folder.parent / 'damaged' / str(step)
            place.parent.mkdir(exist_ok=True)
            shutil.rmtree(place, ignore_errors=True)
            (self.folder / str(step)).rename(place)
            tell(
                f'checkpoint {step} is damaged ({fault}): moved to {place}, '
                f'using {used}'
            )
        if faults:
            hosts.barrier('damaged checkpoints set aside')
            self._manager.reload()

    def restore_model(
        self, abstract: TrainState, key: jax.Array, step: int | str | None = None
    ) -> tuple[Weights, Record]:
        """(weights, run) of `step`, or of the newest."""
        step = self.chosen(step)
        model, _ = _split(abstract)
        items = args.Composite(
            model=args.StandardRestore(model), run=args.JsonRestore()
        )
        with self._reading(step):
            item = self._read(step, items)
        return Weights(item.model['ema'], key), item.run


def _split(state: TrainState) -> tuple[dict[str, Any], dict[str, Any]]:
    """The items `model` and `train`."""
    fields = {name: getattr(state, name) for name in TrainState.__dataclass_fields__}
    return {'ema': fields.pop('ema')}, fields


def reason(error: BaseException) -> str:
    """The first words of an exception, on one line."""
    return short(str(error) or type(error).__name__)
