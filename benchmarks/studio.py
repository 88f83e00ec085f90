"""A random person at the studio: does it grow, fail, or lose what was kept?

python -m benchmarks.studio [--minutes=30] [--seed=0]

Starts `gan_vae studio` in an empty folder, and asks for what a page can ask for, drawn
at random: tools with good and bad inputs and flags, previews, pictures that are none,
things kept and removed, jobs stopped, pages that come and go. After a minute of warming
up and at the end the memory of the server is read; then it is killed by SIGKILL, and
the album is opened again. A row in results/studio.jsonl: requests, answers by status,
memory in MB, and whether all that was kept is there.
"""

import argparse
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.rows import report
from gan_vae.studio import offers
from gan_vae.studio.album import Album

WARM = 60.0  # seconds
SIDES = (32, 32), (48, 64), (80, 40)  # of pictures; each has programs of its own
PAUSE = 0.05  # seconds between two things
NAMES = 'emoji_vae', 'emoji_gan'  # small models
TOOLS = 'sample', 'breed', 'edit', 'move', 'directions', 'reword', 'denoise'


class Person:
    """Requests of one page, and what came of them."""

    def __init__(self, address: str, seed: int):
        self.rng = random.Random(seed)
        self.host = address.split('/')[2]
        self.statuses: Counter[int] = Counter()
        self.pages = 0
        answer = self.plain('GET', address.partition(self.host)[2])
        self.cookie = answer.getheader('set-cookie').partition(';')[0]
        self.models = [
            m['id'] for m in self.ask('GET', '/api/models')[1] if m['name'] in NAMES
        ]
        self.open_page()

    def plain(self, method, path, body=None, headers=None):
        connection = HTTPConnection(self.host, timeout=120)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.content = answer.read()
        connection.close()
        self.statuses[answer.status] += 1
        return answer

    def headers(self) -> dict:
        origin = f'http://{self.host}'
        page = f'page{self.pages}'
        return {'cookie': self.cookie, 'origin': origin, 'x-studio': page}

    def ask(self, method, path, body=None):
        if isinstance(body, dict | list):
            body = json.dumps(body)
        answer = self.plain(method, path, body, self.headers())
        kind = answer.getheader('content-type', '')
        value = json.loads(answer.content) if 'json' in kind else answer.content
        return answer.status, value

    def open_page(self):
        """Holds the stream of a new page open, as a browser does; the old one ends."""
        if self.pages:  # a close alone waits for the thread that reads
            self.socket.shutdown(socket.SHUT_RDWR)
        self.pages += 1
        self.stream = HTTPConnection(self.host, timeout=600)
        self.stream.request(
            'GET', f'/api/events?page=page{self.pages}', headers=self.headers()
        )
        self.socket = self.stream.sock
        answer = self.stream.getresponse()
        stream = self.stream

        def read():
            try:
                while answer.read1(4096):
                    pass
            except (OSError, ValueError, AttributeError, HTTPException):
                stream.close()

        threading.Thread(target=read, daemon=True).start()

    def pictures(self) -> list[str]:
        _, album = self.ask('GET', '/api/album')
        return [p['id'] for r in album['results'] for p in r['pictures']]

    def act(self):
        """One thing, at random."""
        draw = self.rng.random()
        if draw < 0.45:
            self.make()
        elif draw < 0.6:
            self.preview()
        elif draw < 0.7:
            self.ask('PUT', '/api/pictures', self.upload())
        elif draw < 0.8 and (every := self.pictures()):
            chosen = self.rng.choice(every)
            self.ask(self.rng.choice(['PUT', 'PUT', 'DELETE']), f'/api/kept/{chosen}')
            self.ask('GET', f'/files/{chosen}{self.rng.choice(["", "?side=96"])}')
        elif draw < 0.88:
            self.ask('DELETE', f'/api/jobs/{self.rng.randrange(1000)}')
        elif draw < 0.93:
            self.ask('DELETE', '/api/results')
        elif draw < 0.935:
            self.open_page()
        else:
            self.ask('GET', self.rng.choice(['/api/runs', '/files/x', '/api/tools']))

    def make(self):
        tool = self.rng.choice(TOOLS)
        every = [*self.pictures(), '3', '7', 'x', '../x']
        inputs = self.rng.choices(every, k=self.rng.randrange(4))
        flags = {}
        for name in offers.allowed(tool):
            if self.rng.random() < 0.3:
                flags[name] = self.rng.choice(
                    [1, 2, 4, 0.5, -1, 'cut', 'filter', 'gif', 'smile', True, '<b>', '']
                )
        if tool in ('sample', 'breed'):
            flags['num'] = self.rng.choice([2, 4, 8])
        asked = {'tool': tool, 'inputs': inputs, 'flags': flags}
        self.ask('POST', '/api/jobs', asked | {'model': self.rng.choice(self.models)})

    def preview(self):
        number = self.rng.randrange(99)
        model = self.rng.choice(self.models)
        self.ask('POST', '/api/preview', {'model': model, 'thing': number})

    def upload(self) -> bytes:
        sides = *self.rng.choice(SIDES), 3
        noise = np.random.default_rng(self.rng.randrange(10**6))
        buffer = io.BytesIO()
        Image.fromarray(noise.integers(0, 256, sides, np.uint8)).save(buffer, 'PNG')
        raw = buffer.getvalue()
        return raw if self.rng.random() < 0.7 else raw[: self.rng.randrange(200)]


def memory(number: int) -> float:
    """MB that a process holds."""
    text = Path(f'/proc/{number}/status').read_text()
    return int(re.search(r'VmRSS:\s+(\d+)', text)[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--dry', action='store_true', help='append no row')
    flags = parser.parse_args()
    path = os.pathsep.join(p or os.getcwd() for p in sys.path)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, '-m', 'gan_vae', 'studio', '--no-browser', '--album=a'],
            cwd=folder,
            env=os.environ | {'PYTHONPATH': path},
            stdout=subprocess.PIPE,
            text=True,
        )
        person = Person(re.search(r'http\S+', process.stdout.readline())[0], flags.seed)
        begin, sizes = time.monotonic(), []
        while (spent := time.monotonic() - begin) < 60 * flags.minutes:
            person.act()
            time.sleep(PAUSE)
            if spent > WARM * (1 + len(sizes)):
                sizes.append(round(memory(process.pid), 1))
                print(f'{spent / 60:.0f} min, {sizes[-1]} MB', flush=True)
        _, album = person.ask('GET', '/api/album')
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = Album(Path(folder) / 'a', 10**12)
        listed = again.listed()
        before, after = ({r['id'] for r in a['results']} for a in (album, listed))
        row = {
            'minutes': flags.minutes,
            'seed': flags.seed,
            'requests': sum(person.statuses.values()),
            'pages': person.pages,
            'statuses': {str(k): v for k, v in sorted(person.statuses.items())},
            'megabytes': sizes,
            'kept': len(album['kept']),
            'kept_after_a_kill': again.kept() == album['kept'],
            'results_after_a_kill': before <= after,
        }
        report('studio', row, flags.dry)


if __name__ == '__main__':
    main()
