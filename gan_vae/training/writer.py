"""The record of a run: the one file that knows clu's writers and the terminal.

metrics.jsonl is the record, a line per step and event, and holds no step twice; the
TensorBoard files are a view of it. A value that is not finite is recorded as null.
"""

import json
import math
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gan_vae import config as config_lib
from gan_vae import files
from gan_vae import images as images_lib
from gan_vae.runs import folder as run_folder


class Writer:
    """Scalars and pictures of one run folder, of the steps after `step`."""

    def __init__(self, workdir, config, step: int):
        from clu import metric_writers  # imports TensorFlow: seconds

        self._workdir = Path(workdir)
        self._board = metric_writers.AsyncMultiWriter(
            [metric_writers.SummaryWriter(str(self._workdir))]
        )
        self._board.write_hparams(config_lib.flatten(config))
        self._record = self._workdir / 'metrics.jsonl'
        _keep_until(self._record, step)
        self._file = open(self._record, 'a')
        self._first, self._begun = step, time.monotonic()
        # disable=None: where there is no terminal, plain lines take its place
        self._bar = tqdm(
            total=config.train.steps,
            initial=step,
            unit='step',
            dynamic_ncols=True,
            disable=None,
        )

    def scalars(self, step: int, values: dict[str, float]):
        """{'train/loss_g': ...} at one step; arrays of one element will do."""
        values = {name: float(np.asarray(v).reshape(())) for name, v in values.items()}
        finite = {name: v for name, v in values.items() if math.isfinite(v)}
        line = {'step': step} | {name: finite.get(name) for name in values}
        self._file.write(json.dumps(line) + '\n')
        self._file.flush()
        if finite:
            self._board.write_scalars(step, finite)
        texts = {
            name.split('/')[-1]: f'{v:.4g}'
            for name, v in values.items()
            if not name.startswith('spectral/')
        }
        if self._bar.disable and texts:
            listed = '  '.join(f'{name} {text}' for name, text in texts.items())
            held_out = any('eval/' in name for name in values)
            line = 'held out  ' + listed if held_out else listed + self._left(step)
            print(f'step {step}/{self._bar.total}  {line}', flush=True)
        elif any('loss' in name for name in texts):
            losses = ('loss', 'elbo', 'kl')
            texts = {k: text for k, text in texts.items() if k.startswith(losses)}
            self._bar.set_postfix(texts, refresh=False)

    def _left(self, step: int) -> str:
        """The time that the rest will take at the pace so far, compilation included."""
        each = (time.monotonic() - self._begun) / max(step - self._first, 1)
        seconds = round(each * (self._bar.total - step))
        return f'  left {timedelta(seconds=seconds)}' if seconds else ''

    def picture(self, step: int, name: str, picture: np.ndarray):
        """The newest <name>.png, uint8 [H, W, C], and all in TensorBoard."""
        images_lib.save_png(self._workdir / f'{name}.png', picture)
        self._board.write_images(step, {name: picture[None]})

    def histogram(self, step: int, name: str, values: np.ndarray):
        """Of [n] numbers, in TensorBoard alone."""
        self._board.write_histograms(step, {name: np.asarray(values)})

    def text(self, name: str, text: str):
        """<name>.txt; in TensorBoard in the fixed-width type of a code block."""
        files.write(self._workdir / f'{name}.txt', text + '\n')
        self._board.write_texts(0, {name: f'```\n{text}\n```'})

    def samples(
        self, step: int, images: np.ndarray, provenance: dict, classes: int = 0
    ):
        """The fixed-seed grid: samples/<step>.png and TensorBoard.

        `classes`: how many take turns, each in a column of its own; 0 = none.
        """
        grid = images_lib.grid(images, images_lib.columns(classes))
        images_lib.save_png(
            self._workdir / 'samples' / f'{step:07d}.png', grid, provenance
        )
        self._board.write_images(step, {'samples': grid[None]})

    def audios(self, step: int, sounds: tuple[np.ndarray, int] | None):
        """Samples to listen to, float32 [n, samples, 1] and their rate; None: none."""
        if sounds is not None:
            self._board.write_audios(
                step, {'samples': sounds[0]}, sample_rate=sounds[1]
            )

    def progress(self, step: int):
        """Moves the bar on a terminal; cheap enough for every step."""
        self._bar.update(step - self._bar.n)

    def say(self, text: str):
        """A line for the person at the terminal."""
        self._bar.write(text)
        sys.stdout.flush()

    def finish(self, summary: dict):
        """summary.json, and samples.gif of all grids."""
        images_lib.time_lapse(self._workdir / 'samples', self._workdir / 'samples.gif')
        run_folder.write_summary(self._workdir, summary)

    def close(self):
        self._bar.close()
        self._board.flush()
        self._board.close()
        self._file.close()


class Silent:
    """A Writer of the hosts that write nothing."""

    def __getattr__(self, name: str):
        return lambda *values: None


def _keep_until(record: Path, step: int):
    """Drops what a killed run wrote after the step that it goes on from."""
    if not record.exists():
        return
    lines = []
    for line in record.read_text().splitlines():
        try:
            if json.loads(line)['step'] <= step:
                lines.append(line + '\n')
        except ValueError:  # torn by the kill: the last line
            break
    files.write(record, ''.join(lines))
