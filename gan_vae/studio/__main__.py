"""gan_vae studio [RUN ...] [--album=DIR] [--runs=DIR] [--port=N] [--no-browser]
       [--host=ADDRESS] [--quota=GB]

A page on which to sample, breed, shape, restore and stylise, for this machine alone.
RUN is the folder of a run, or pretrained:NAME; the models of the package and the runs
in `runs` are there too. What is made lies in the album, art/studio unless --album says
otherwise. Ctrl-C ends it.
"""

import os
import socket
import sys
import threading
import webbrowser
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from gan_vae import files, interrupt
from gan_vae.errors import UserError, not_installed
from gan_vae.flags import Flag, lines_of, read, unknown_flag

FLAGS = {
    'album': Flag(str, 'art/studio', 'the folder of what is made'),
    'runs': Flag(str, 'runs', 'the folder whose runs are offered, too'),
    'port': Flag(int, 0, 'where it listens; 0: any that is free'),
    'host': Flag(str, '127.0.0.1', 'the address it listens at; others can reach it'),
    'quota': Flag(float, 4.0, 'GB that the album may hold'),
    'no-browser': Flag(bool, False, 'open no browser'),
}
PLACES = 'GAN_VAE_CACHE', 'TFDS_DATA_DIR', 'GAN_VAE_FONT'  # in the environment
LOOPBACK = '127.0.0.1', 'localhost', '::1'


def main(argv: list[str]) -> int:
    """Serves until it is interrupted. The exit status, 2 for what the user can mend."""
    try:
        every = {'help': Flag(bool, False, '')} | FLAGS
        values, named = read(every, argv, _fail)
        for word in named:
            if word.startswith('-'):
                _fail(unknown_flag(word, every))
        if values.get('help'):
            print(f'{__doc__}\n' + '\n'.join(lines_of(FLAGS)))
            return 0
        defaults = {name: flag.default for name, flag in FLAGS.items()}
        return serve(named, Namespace(**defaults | values))
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


def _fail(message: str) -> NoReturn:
    raise UserError(f'{message}; see gan_vae studio --help')


def serve(named: list[str], flags: Namespace) -> int:
    """Starts the server, and says where."""
    try:
        import uvicorn

        from gan_vae.studio import app, guard, studio
    except ModuleNotFoundError as error:
        if error.name not in ('starlette', 'uvicorn'):
            raise
        raise not_installed('gan_vae studio', str(error.name), 'studio') from error
    from gan_vae.devices import process
    from gan_vae.runs import folder as run_folder
    from gan_vae.runs import packed
    from gan_vae.studio.album import Album
    from gan_vae.studio.models import Models

    process.prepare()
    if not 0 <= flags.port < 2**16:
        raise UserError(f'--port={flags.port}: must be from 0 to 65535')
    if not 0 < flags.quota < 1e6:
        raise UserError(f'--quota={flags.quota}: must be above 0, in GB')
    for workdir in named:
        run_folder.read_config(packed.find(workdir))
    models = Models([_absolute(w) for w in named], Path(_absolute(flags.runs)))
    album = Album(files.expand(flags.album), int(flags.quota * 1e9))
    try:
        lock = files.try_lock(album.folder / '.lock')
    except OSError as error:
        raise UserError(f'cannot write in {album.folder}: {error.strerror}') from error
    if lock is None:
        raise UserError(
            f'another studio has the album {album.folder} open: --album=DIR'
        )
    _settle()
    os.chdir(album.folder)  # of all jobs, see album.py
    routes = app.make(studio.Studio(models, album))
    listener = _listener(flags.host, flags.port)
    port, names = listener.getsockname()[1], _names(flags.host)
    # a cookie is of all ports of a host
    guarded = guard.Guard(routes, {f'{n}:{port}' for n in names}, f'studio-{port}')
    address = f'http://{names[0]}:{port}/?token={guarded.token}'
    if flags.host not in LOOPBACK:
        print(
            f'warning: whoever reaches {flags.host}:{port} and knows the address below '
            'can use the studio, and what is sent is not encrypted',
            file=sys.stderr,
        )
    print(f'the studio is at {address}\n(the address works once; Ctrl-C ends it)')
    if not vars(flags)['no-browser']:  # some browsers keep their caller waiting
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    config = uvicorn.Config(
        guarded,
        log_level='error',
        loop='asyncio',  # uvloop would take the signals
        http='h11',
        lifespan='off',
        server_header=False,
        limit_concurrency=64,
        h11_max_incomplete_event_size=16384,
        timeout_keep_alive=5,
    )

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # told to stop, it would wait for its pages

    with interrupt.Ending('the studio ends, and what is in the album stays'):
        Server(config).run(sockets=[listener])
    return 0


def _absolute(workdir: str) -> str:
    """A path that means the same from another folder; pretrained:NAME as it is."""
    known = workdir.startswith('pretrained:')
    return workdir if known else os.path.abspath(files.expand(workdir))


def _settle():
    """What is named from the working directory means the same in another one."""
    sys.path[:] = [os.path.abspath(place) for place in sys.path]
    for name in PLACES:
        if place := os.environ.get(name):
            os.environ[name] = os.path.abspath(files.expand(place))


def _names(host: str) -> list[str]:
    """Under which names a browser may ask, the first one to be told."""
    own = [*LOOPBACK[:2], '[::1]']
    if host in own or host in LOOPBACK:
        return [f'[{host}]' if ':' in host else host, *own]
    found = []
    with suppress(OSError):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect(('192.0.2.1', 9))  # sends nothing: which address is ours
            found.append(way.getsockname()[0])
    with suppress(OSError):
        name, others, numbers = socket.gethostbyname_ex(socket.gethostname())
        found += [name, *others, *numbers]
    first = [] if host in ('0.0.0.0', '::') else [f'[{host}]' if ':' in host else host]
    return [*first, *found, *own]


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == 'posix':  # elsewhere two could listen at one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)  # before the address is told
    except (OSError, UnicodeError, TypeError) as error:  # as of 'ä..b'
        listener.close()
        why = getattr(error, 'strerror', None) or 'no address'
        raise UserError(
            f'cannot listen at {host}:{port}: {why}: take another --host or --port'
        ) from error
    return listener


if __name__ == '__main__':
    interrupt.command(main)
