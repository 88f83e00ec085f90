"""python -m gan_vae.data.vector_art.worker: draws what it reads on standard input.

A line {"pictures": [[style, number], ...], "size", "channels", "colour"} is answered by
a line of the choices of each picture, and by the pixels of all.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from gan_vae.data.vector_art import drawing


def work(
    pictures: Sequence[tuple[str, int]],
    size: int,
    channels: int,
    colour: tuple[int, int, int],
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """(choices, images uint8 [n, size, size, channels]) of (style, number) pairs."""
    r, g, b = colour
    drawn = [drawing.draw(style, number) for style, number in pictures]
    images = [drawing.render(svg, size, channels, (r, g, b)) for svg, _ in drawn]
    return [options for _, options in drawn], np.stack(images)


def main():
    """Answers until standard input ends."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get among the answers
    for line in sys.stdin:
        options, images = work(**json.loads(line))
        answers.write(json.dumps(options).encode() + b'\n')
        answers.write(images.tobytes())
        answers.flush()


if __name__ == '__main__':
    main()
