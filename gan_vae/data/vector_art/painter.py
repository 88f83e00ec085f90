"""Many drawings at once, by one process a core.

They are processes of their own, and not those of `multiprocessing`, which imports the
user's main module into each: a script without a guard would start itself again.
"""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from gan_vae.data import listing
from gan_vae.data.pictures import Fit
from gan_vae.data.vector_art.worker import work
from gan_vae.errors import UserError, short

CHUNK = 40  # pictures of one order to a process

Picture = tuple[str, int]  # a style and a number
Drawn = tuple[list[dict[str, Any]], np.ndarray]  # choices and images of a chunk


def cores() -> int:
    """How many processes there may be at once."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def paint(
    pictures: Iterable[Picture], total: int, how: Fit, alone: bool = False
) -> Iterator[tuple[str, dict[str, Any], np.ndarray]]:
    """(style, choices, image) of each of `total` pictures, in order.

    alone: in this process and as they are asked for, where few of them will be.
    """
    left = iter(pictures)
    chunks = iter(lambda: list(islice(left, CHUNK)), [])
    if alone:
        return _flat((chunk, _work(chunk, how)) for chunk in chunks)
    drawn = _flat(_beside(chunks, min(cores(), -(-total // CHUNK)), how))
    if sys.stderr.isatty():
        return iter(tqdm(drawn, 'art', total, leave=False, dynamic_ncols=True))
    return listing.progress(drawn, 'art', total, 'pictures drawn')


def _flat(
    chunks: Iterable[tuple[list[Picture], Drawn]],
) -> Iterator[tuple[str, dict[str, Any], np.ndarray]]:
    for chunk, (choices, images) in chunks:
        for (style, _), options, image in zip(chunk, choices, images, strict=True):
            yield style, options, image


def _job(chunk: list[Picture], how: Fit) -> dict[str, Any]:
    shape = {'size': how.size, 'channels': how.channels}
    return {'pictures': chunk, **shape, 'colour': how.colour()}


def _work(chunk: list[Picture], how: Fit) -> Drawn:
    return work(**_job(chunk, how))


def _beside(
    chunks: Iterator[list[Picture]], count: int, how: Fit
) -> Iterator[tuple[list[Picture], Drawn]]:
    """Each chunk and what it asks for, in order, by `count` processes that end with
    the last."""
    mine, started = threading.local(), []

    def ask(chunk: list[Picture]) -> tuple[list[Picture], Drawn]:
        if not hasattr(mine, 'process'):
            mine.process = _start()
            started.append(mine.process)
        return chunk, _answer(mine.process, chunk, how)

    with ThreadPoolExecutor(count) as pool:
        ahead: deque[Future[tuple[list[Picture], Drawn]]] = deque()
        try:
            ahead.extend(pool.submit(ask, chunk) for chunk in islice(chunks, 3 * count))
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(pool.submit(ask, chunk) for chunk in islice(chunks, 1))
        finally:
            for future in ahead:
                future.cancel()
            for process in started:
                process.kill()
    for process in started:
        process.communicate()


def _start() -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[3]
    paths = [str(root), os.environ.get('PYTHONPATH', '')]
    return subprocess.Popen(
        [sys.executable, '-m', f'{work.__module__}'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
    )


def _answer(process: subprocess.Popen[bytes], chunk: list[Picture], how: Fit) -> Drawn:
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin and stdout and stderr
    shape = len(chunk), *how.shape
    head = raw = b''
    try:
        stdin.write(json.dumps(_job(chunk, how)).encode() + b'\n')
        stdin.flush()
        head = stdout.readline()
        raw = stdout.read(int(np.prod(shape)))
    except (OSError, ValueError):  # a pipe that the process, or we, have closed
        pass
    if len(raw) != np.prod(shape):
        said = stderr.read().decode(errors='replace').strip().rpartition('\n')[2]
        raise UserError(
            'art: a process that draws ended: '
            + (short(said) or 'it was killed, perhaps for want of memory')
        )
    return json.loads(head), np.frombuffer(raw, np.uint8).reshape(shape)
