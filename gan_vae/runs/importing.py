"""gan_vae import --folder=FOLDER --out=RUN: a model of gan_vae export, to work with.

FOLDER is of --to=safetensors; RUN is a packed model, which every command takes as
--workdir and training as --config.train.init_from. Its arrays are those of FOLDER.
"""

import json
import sys
from pathlib import Path

from gan_vae import interrupt
from gan_vae.errors import UserError
from gan_vae.flags import Flag
from gan_vae.runs.__main__ import asked, repacked

FLAGS = {
    'folder': Flag(str, '', 'folder that gan_vae export --to=safetensors wrote'),
    'out': Flag(str, '', 'folder to write, new or empty'),
}


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right."""
    try:
        flags = asked(FLAGS, argv, 'import', __doc__)
        if flags:
            for line in imported(flags.folder, flags.out):
                print(line)
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


def imported(folder: str, out: str) -> list[str]:
    """Writes the packed model; lines about it."""
    from gan_vae.runs import packed

    if not (Path(folder) / packed.SAFE).is_file():
        raise UserError(
            f'{folder} has no {packed.SAFE}, as gan_vae export --to=safetensors writes'
        )
    lines = [repacked(folder, out)]
    then, now = (
        json.loads((Path(place) / packed.ABOUT).read_text()).get('state_sha256')
        for place in (folder, out)
    )
    if then != now:
        lines.append(f'{folder} was changed since it was exported: {now[:12]} is new')
    return lines


if __name__ == '__main__':
    interrupt.command(main)
