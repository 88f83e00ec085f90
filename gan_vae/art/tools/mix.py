"""The styles of one with those of another: rows by columns, of a StyleGAN2."""

import re

import numpy as np

from gan_vae.art import latents, sheets
from gan_vae.art.tools import Flag, ModelRequest, Picture, Result, ToolWithModel
from gan_vae.errors import UserError

BLANK = 235  # the corner of the sheet


def make(request: ModelRequest) -> Result:
    model, flags = latents.styled(request.model), request.flags
    groups = model.method.latents.groups
    layers = _layers(flags.layers, len(groups))
    if not 1 <= flags.rows < len(request.inputs):
        raise UserError(
            f'--rows={flags.rows}: of {len(request.inputs)} things, from 1 to '
            f'{len(request.inputs) - 1} are rows, and the others are columns'
        )
    z, labels = latents.of_inputs(model, request.inputs, flags.seed)
    mixed = crossed(z[: flags.rows], z[flags.rows :], layers, groups)
    of_rows = None
    if labels is not None:  # the condition of a row, most of whose layers it may have
        of_rows = np.repeat(labels[: flags.rows], len(z) - flags.rows, 0)
    made = latents.pictures(model, mixed, of_rows, request.progress)
    own = [p.image for p in latents.pictures(model, z, labels)]
    text = f'{layers[0]}-{layers[-1]}'
    message = f'layers {text} of 0-{len(groups) - 1} are of the columns: coarse to fine'
    sheet = _sheet(own[: flags.rows], own[flags.rows :], made)
    return Result(pictures=made, sheet=sheet, messages=[message])


def crossed(rows, columns, layers: range, groups: tuple[int, ...]) -> np.ndarray:
    """Styles [R C, S] of each row [R, S] with those layers of each column [C, S].

    groups: how many of the S numbers are of each layer.
    """
    of_column = np.repeat([n in layers for n in range(len(groups))], groups)
    both = np.where(of_column, columns[None], rows[:, None])
    return both.reshape(-1, both.shape[-1])


def _layers(text: str, count: int) -> range:
    """0-3 of '0-3', or of '3' layer 3 alone; by default the coarser half."""
    match = re.fullmatch(r'(\d+)(?:-(\d+))?', text or f'0-{(count - 1) // 2}')
    ends = [int(n) for n in match.groups() if n] if match else [count]
    first, last = ends[0], ends[-1]
    if not first <= last < count:
        raise UserError(
            f'--layers={text}: give A-B, of the layers 0 (coarse) to {count - 1} (fine)'
        )
    return range(first, last + 1)


def _sheet(rows: list, columns: list, made: list[Picture]) -> np.ndarray:
    """Rows beside, columns above, and what is of both between them."""
    blank, cells = np.full_like(rows[0], BLANK), iter(p.image for p in made)
    body = [x for row in rows for x in (row, *(next(cells, blank) for _ in columns))]
    return sheets.labelled([blank, *columns, *body], len(columns) + 1)


TOOL = ToolWithModel(
    make=make,
    takes='THING THING...',
    flags={
        'rows': Flag(1, int, 'how many of the things are rows, the first', least=1),
        'layers': Flag('', str, "of the columns, as '4-7'; else the coarser half"),
    },
)
