"""gan_vae publish RUN --to=wandb|mlflow|trackio

Replays the metrics of a run, and its config, to a tracker. A run that is sent again has
no step twice. `python -m gan_vae.publish` is the same command.
"""

import importlib
import sys

from gan_vae import flags as flags_lib
from gan_vae import interrupt, modules
from gan_vae.errors import UserError, counted, not_installed, short, unknown
from gan_vae.flags import Flag

FLAGS = {
    'help': Flag(bool, False, 'print the usage'),
    'to': Flag(str, '', 'the tracker'),
}
ROOM = 'gan_vae.publish.trackers'


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right."""

    def fail(message: str):
        raise UserError(f'{message}; see gan_vae publish --help')

    try:
        values, words = flags_lib.read(FLAGS, argv, fail)
        if values.get('help'):
            print(__doc__)
            return 0
        if unknowns := [word for word in words if word.startswith('-')]:
            fail(flags_lib.unknown_flag(unknowns[0], FLAGS))
        if len(words) != 1:
            fail(f'give one run, the folder of it: {counted(len(words), "run")}')
        if 'to' not in values:
            fail('--to is missing')
        print(publish(words[0], values['to']))
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


def publish(workdir: str, to: str) -> str:
    """Sends a run to a tracker; a line that says where it is. Raises UserError for a
    folder that is no run, and for a tracker that is unknown or not installed."""
    from gan_vae.publish import replay

    if to not in modules.names(ROOM):
        raise unknown('--to', to, modules.names(ROOM))
    record = replay(workdir)
    try:
        library = importlib.import_module(to)
    except ModuleNotFoundError as error:
        raise not_installed(f'--to={to}', str(error.name), to) from error
    try:
        place = importlib.import_module(f'{ROOM}.{to}').send(library, record)
    except Exception as error:  # as where nobody is logged in, or no server answers
        # What libraries raise has a module of theirs, or is of the system.
        ours = type(error).__module__ == 'builtins' and not isinstance(error, OSError)
        if ours or isinstance(error, UserError):
            raise
        what = short(error) or type(error).__name__
        raise UserError(f'--to={to}: {what}') from error
    return f'{counted(len(record.rows), "step")} in {place}'


if __name__ == '__main__':
    interrupt.command(main)
