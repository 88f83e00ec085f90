"""The routes of the studio: JSON in, JSON out, files of the album by their ids."""

import asyncio
import json
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gan_vae.data.pictures import Unusable
from gan_vae.errors import UserError
from gan_vae.studio import offers, picture_files, trainings
from gan_vae.studio.guard import HEADER, refused
from gan_vae.studio.studio import Studio

STATIC = Path(__file__).parent / 'static'
UPLOAD = 40_000_000  # bytes of a picture
JSON = 200_000  # bytes of everything else
PATIENCE = 20.0  # seconds between two parts of a body, at most
SIDES = 96, 256, 512, 1024  # of small versions


async def body(request: Request, most: int) -> bytes:
    """What a request carries, `most` bytes of it at most, and in time."""
    length = request.headers.get('content-length', '0')
    if length.isdecimal() and int(length) > most:
        raise Refused(413, f'too large: at most {most / 1e6:g} MB')
    parts, size, stream = [], 0, aiter(request.stream())
    while True:
        try:
            part = await asyncio.wait_for(anext(stream), PATIENCE)
        except StopAsyncIteration:
            return b''.join(parts)
        except (TimeoutError, ClientDisconnect) as error:
            raise Refused(408, 'the upload stood still') from error
        size += len(part)
        if size > most:
            raise Refused(413, f'too large: at most {most / 1e6:g} MB')
        parts.append(part)


class Refused(Exception):
    """An answer of one line, with its status."""

    def __init__(self, status: int, why: str):
        self.status, self.why = status, why


async def asked_of(request: Request) -> Any:
    """The JSON of a request."""
    try:
        return json.loads(await body(request, JSON))
    except (ValueError, RecursionError) as error:
        raise Refused(400, 'this is not JSON') from error


def attached(name: str) -> str:
    """The header of a download with that name, which may be anything."""
    plain = ''.join(
        c if c.isalnum() and c.isascii() or c in '.-_' else '_' for c in name
    )
    return f'attachment; filename="{plain}"'


def page_of(request: Request) -> str:
    """Which page asks."""
    return request.headers[HEADER][:64]


def make(studio: Studio) -> Starlette:
    """The application, without its guard."""
    album, models, jobs = studio.album, studio.models, studio.jobs

    async def aside(function, *arguments):
        return await asyncio.to_thread(function, *arguments)

    async def index(request):
        return FileResponse(STATIC / 'index.html')

    async def events(request):
        page = request.query_params.get('page', '')[:64]
        if not page:
            raise Refused(400, 'which page?')
        return StreamingResponse(studio.events(page), media_type='text/event-stream')

    async def all_tools(request):
        return JSONResponse(await aside(offers.described))

    async def all_models(request):
        return JSONResponse(await aside(models.listed))

    async def the_page(request):
        if request.method == 'DELETE':
            studio.leave(page_of(request))
        else:
            studio.hide(page_of(request))
        return Response(status_code=204)

    async def submit(request):
        job = studio.submit(page_of(request), await asked_of(request))
        return JSONResponse({'id': job.id}, 202)

    async def stop(request):
        job = jobs.every.get(request.path_params['id'])
        if job is None or job.page != page_of(request):
            raise Refused(404, 'no such job of this page')
        jobs.stop(job)
        return Response(status_code=204)

    async def the_album(request):
        return JSONResponse(await aside(studio.listed))

    async def give(request):
        raw = await body(request, UPLOAD)
        mask = 'mask' in request.query_params
        return JSONResponse({'id': await aside(album.give, raw, mask)}, 201)

    async def keep(request):
        await aside(album.keep, request.path_params['id'], request.method == 'PUT')
        return Response(status_code=204)

    async def remove(request):
        await aside(album.remove, request.path_params['id'])
        return Response(status_code=204)

    async def clear(request):
        return JSONResponse({'removed': await aside(album.clear)})

    async def file(request):
        path = album.path(request.path_params['id'])
        if not path.is_file() or path.suffix not in picture_files.TYPES:
            raise Refused(404, 'no such picture')
        query, cached = request.query_params, {'cache-control': 'private, max-age=600'}
        if query.get('plain') and path.suffix in picture_files.PICTURES:
            headers = {'content-disposition': attached(f'{path.stem}.png')}
            raw = await aside(picture_files.plain, path)
            return Response(raw, media_type='image/png', headers=headers)
        if query.get('side') and path.suffix in picture_files.PICTURES:
            side = next((s for s in SIDES if str(s) == query['side']), SIDES[1])
            written = path.stat().st_mtime_ns
            raw, kind = await aside(picture_files.thumbnail, path, side, written)
            return Response(raw, media_type=kind, headers=cached)
        if query.get('save'):
            cached['content-disposition'] = attached(path.name)
        kind = picture_files.TYPES[path.suffix]
        return FileResponse(path, media_type=kind, headers=cached)

    async def preview(request):
        asked = await asked_of(request)
        if not isinstance(asked, dict):
            raise Refused(400, 'a preview is a JSON object')
        moves = asked.get('moves', [])
        right = isinstance(moves, list) and all(
            isinstance(m, list) and len(m) == 2 and isinstance(m[1], int | float)
            for m in moves
        )
        if not right:
            raise UserError('moves: [[id of a direction, strength], ...]')
        seed = asked.get('seed', 0)
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise UserError('seed: a whole number from 0 to 2**32 - 1')
        thing = offers.word_of(asked.get('thing', 0), album.word)
        loop = asyncio.get_running_loop()
        raw = await loop.run_in_executor(
            studio.quick,
            models.preview,
            str(asked.get('model')),
            thing,
            [album.word(str(m[0])) for m in moves],
            [float(m[1]) for m in moves],
            seed,
        )
        return Response(raw, media_type='image/png')

    async def rank(request):
        return JSONResponse(await aside(studio.ranking, await asked_of(request)))

    def listed_runs():
        found = [
            about | {'id': name}
            for name, place in models.folders().items()
            if (about := trainings.outline(place))
        ]
        return sorted(found, key=lambda about: float(about['written']))[::-1]

    def place_of(request) -> Path:
        place = models.folders().get(request.path_params['id'])
        if place is None:
            raise Refused(404, 'no such run')
        return place

    async def runs(request):
        return JSONResponse(await aside(listed_runs))

    async def run(request):
        place = await aside(place_of, request)
        about = await aside(trainings.outline, place)
        return JSONResponse(
            {'about': about, 'curves': await aside(trainings.curves, place)}
        )

    async def run_picture(request):
        found = trainings.picture(await aside(place_of, request))
        if not found:
            raise Refused(404, 'no pictures yet')
        return FileResponse(found, media_type='image/png')

    async def user_error(request, error):
        return refused(400, ' '.join(str(error).split()))

    async def of_status(request, error):
        return refused(error.status, error.why)

    async def damaged(request, error):
        return refused(404, f'this picture cannot be shown: {error}')

    async def of_disk(request, error):
        return refused(507, f'the album cannot be used: {error.strerror or error}')

    async def not_found(request, error):
        return refused(error.status_code, error.detail)

    async def fault(request, error):
        return refused(500, 'a fault of ours: the terminal says where')

    return Starlette(
        routes=[
            Route('/', index),
            Route('/favicon.ico', lambda _: Response(status_code=204)),
            Route('/api/events', events),
            Route('/api/page', the_page, methods=['PUT', 'DELETE']),
            Route('/api/tools', all_tools),
            Route('/api/models', all_models),
            Route('/api/jobs', submit, methods=['POST']),
            Route('/api/jobs/{id}', stop, methods=['DELETE']),
            Route('/api/album', the_album),
            Route('/api/pictures', give, methods=['PUT']),
            Route('/api/kept/{id}', keep, methods=['PUT', 'DELETE']),
            Route('/api/results/{id}', remove, methods=['DELETE']),
            Route('/api/results', clear, methods=['DELETE']),
            Route('/api/preview', preview, methods=['POST']),
            Route('/api/ranking', rank, methods=['POST']),
            Route('/api/runs', runs),
            Route('/api/runs/{id}', run),
            Route('/api/runs/{id}/picture', run_picture),
            Route('/files/{id}', file),
            Mount('/static', StaticFiles(directory=STATIC)),
        ],
        exception_handlers={
            UserError: user_error,
            Refused: of_status,
            Unusable: damaged,
            OSError: of_disk,
            404: not_found,
            405: not_found,
            Exception: fault,
        },
    )
