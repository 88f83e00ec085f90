"""What lasts as long as the server: models, album, jobs, and the open pages."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_vae import files
from gan_vae.art import feature_index, making, provenance
from gan_vae.errors import UserError
from gan_vae.studio import offers, originality, taste
from gan_vae.studio.album import Album, command
from gan_vae.studio.jobs import ACTIVE, Job, Jobs
from gan_vae.studio.models import Models

LEFT = 5.0  # seconds without a page, after which its jobs end
AWAY = 3600.0  # seconds, of a page that said that nobody looks at it
BEAT = 15.0  # seconds between signs of life
CHOICES = 2000


class Studio:
    """The models and the album of a server, the jobs of its pages, and who is there.

    The album is the working directory of all jobs: see album.py.
    """

    def __init__(self, models: Models, album: Album):
        self.models, self.album = models, album
        self.jobs = Jobs(self.changed)
        self.quick = ThreadPoolExecutor(1, 'preview')  # beside the jobs
        self.streams: dict[str, int] = {}  # of each page
        self.away: dict[str, float] = {}  # pages that are not looked at, since when
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()

    def changed(self):
        """Tells all pages; called in any thread."""
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._tell)

    def _tell(self):
        self._news.set()
        self._news = asyncio.Event()

    async def events(self, page: str) -> AsyncIterator[str]:
        """The jobs of a page as server-sent events, whenever they change."""
        self._loop = asyncio.get_running_loop()
        self.streams[page] = self.streams.get(page, 0) + 1
        self.away.pop(page, None)
        last = ''
        try:
            while True:
                news = self._news
                jobs = [job.told_of() for job in self.jobs.of(page)]
                others = self.jobs.active() - sum(j['state'] in ACTIVE for j in jobs)
                told = {'jobs': jobs, 'others': others, 'album': self.album.revision}
                text = json.dumps(told)
                yield f'data: {text}\n\n' if text != last else ': \n\n'
                last = text
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), BEAT)
        finally:
            self.streams[page] -= 1
            self._loop.call_later(LEFT, self._look_for, page)

    def hide(self, page: str):
        """A page that is there, and closes its stream: nobody looks at it. A browser
        has few connections for all pages of a server."""
        if self.is_open(page):
            self.away[page] = time.monotonic()

    def leave(self, page: str):
        """A page that is being closed, or loaded again."""
        if self.away.pop(page, None) and self._loop:
            self._loop.call_later(LEFT, self._look_for, page)

    def is_open(self, page: str) -> bool:
        return bool(self.streams.get(page)) or page in self.away

    def _look_for(self, page: str):
        """Ends the jobs of a page that did not come back."""
        assert self._loop
        if self.streams.get(page):
            return
        if time.monotonic() - self.away.get(page, -AWAY) < AWAY:
            self._loop.call_later(60.0, self._look_for, page)
            return
        self.streams.pop(page, None)
        self.away.pop(page, None)
        self.jobs.stop_all_of(page)

    def listed(self) -> dict:
        """JSON of the album, with the command of each result."""
        album = self.album.listed()
        for number, result in enumerate(album['results']):
            workdir = self.models.recorded(result['model'])
            line = command(result, self.album.named, workdir)
            album['results'][number] = result | {'command': line}
        return album

    def submit(self, page: str, asked: Any) -> Job:
        """The job of what a page asks for. A UserError for what it cannot have."""
        if not self.is_open(page):
            raise UserError('this page is not open')
        if not isinstance(asked, dict) or not isinstance(asked.get('tool'), str):
            raise UserError('a job is a JSON object with a tool')
        prepare = OTHERS.get(asked['tool'], _of_tool)
        return self.jobs.submit(Job(page, asked['tool'], prepare(self, asked)))

    def ranking(self, asked: Any) -> dict:
        """What the choices between pictures of an index say, and which pair is next."""
        if not isinstance(asked, dict) or not isinstance(asked.get('choices'), list):
            raise UserError('a ranking is of an index and of choices')
        index = feature_index.load(str(self.album.path(str(asked.get('index')))))
        names = index.names.tolist()
        choices = [_choice(pair, len(names)) for pair in asked['choices'][:CHOICES]]
        found = taste.rank(index, choices, seed=0)
        folder = self.album.folder / Path(index.about['place']).name
        pairs = None
        if asked.get('writes') and choices:
            text = json.dumps([[names[a], names[b]] for a, b in choices])
            pairs = self.album.give_text(text)
        return {
            'pictures': [self.album.id_of(folder / name) for name in names],
            'scores': [round(float(s), 3) for s in found.scores],
            'deviations': [round(float(s), 3) for s in found.deviations],
            'next': found.following,
            'bits': round(found.information, 3),
            'pairs': pairs,
        }


def _choice(pair: Any, count: int) -> tuple[int, int]:
    right = isinstance(pair, list) and len(pair) == 2 and pair[0] != pair[1]
    if not right or not all(type(n) is int and 0 <= n < count for n in pair):
        raise UserError('a choice is two numbers of the index')
    return pair[0], pair[1]


Work = Callable[[Job], Any]


def _of_tool(studio: Studio, asked: dict) -> Work:
    """A result of a tool, in the album."""
    album = studio.album
    tool, words, flags = offers.read(asked, album.word, studio.models.workdir)
    album.room()

    def work(job: Job) -> dict:
        flags.out = str(album.next(tool))
        folder, result = making.make(tool, words, flags, watcher=job.watcher)
        lines = [line.replace('OUT/', f'{folder.name}/') for line in result.messages]
        return {'id': album.result_of(folder), 'lines': lines}

    return work


def _again(studio: Studio, asked: dict) -> Work:
    """A file made again, and whether it has the same bytes."""
    file = studio.album.path(str(asked.get('file')))

    def work(job: Job) -> dict:
        about = provenance.read(file)
        workdir = studio.models.recorded((about['run'] or {}).get('workdir', ''))
        with files.temporary_folder() as folder:
            out = str(folder / 'again')
            made = making.reproduce(str(file), workdir, out, watcher=job.watcher)
        if job.stop.is_set():
            raise UserError('stopped before it was made again')
        return {'same': made.same, 'changed': made.changed}

    return work


def _opened(studio: Studio, asked: dict) -> Work:
    """What a model can do."""
    name = str(asked.get('model'))
    studio.models.workdir(name)
    return lambda _: studio.models.about(name)


def _original(studio: Studio, asked: dict) -> Work:
    """Whether a picture is new."""
    file, name = studio.album.word(str(asked.get('file'))), str(asked.get('model'))
    studio.models.workdir(name)
    return lambda job: originality.judge(
        studio.album, studio.models.open(name), file, job.watcher
    )


OTHERS: dict[str, Callable[[Studio, dict], Work]] = {
    'reproduce': _again,
    'open': _opened,
    'originality': _original,
}
