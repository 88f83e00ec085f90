"""Who is let in: a browser on this machine that came by the address that was printed.

A page of another site can send requests to this machine too. What it cannot do is know
the token, read the cookie, or set Host, Origin and a header of its own.
"""

import secrets
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = 'x-studio'  # of every request that changes something: which page it is
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; object-src 'none'"
)
ALWAYS = {
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
}
ADDRESS = 'open the address that gan_vae studio printed, once'


class Guard:
    """An ASGI application that lets only the requests of its own page through.

    hosts: values of Host that are this server; cookie: the name of its own. `token`
    opens it once; from then on the browser has the cookie.
    """

    def __init__(self, app: ASGIApp, hosts: set[str], cookie: str = 'studio'):
        self.app, self.hosts = app, {host.lower() for host in hosts}
        self.token: str | None = secrets.token_urlsafe(24)
        self._key = secrets.token_urlsafe(32)
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send):
        if scope['type'] != 'http':  # no WebSockets here
            return
        answer = self._refusal(scope)

        async def with_headers(message: Message):
            if message['type'] == 'http.response.start':
                fixed = [(k.encode(), v.encode()) for k, v in ALWAYS.items()]
                names = {name for name, _ in message['headers']}
                fixed += [(b'cache-control', b'no-store')] * (
                    b'cache-control' not in names
                )
                message['headers'] = [*message['headers'], *fixed]
            await send(message)

        await (answer or self.app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let through; None for all others."""
        headers = Headers(scope=scope)
        host = headers.get('host', '').lower()
        if host not in self.hosts:
            return refused(400, 'this name is not that of the studio')
        if scope['path'].startswith('/static/') and scope['method'] == 'GET':
            return None
        known = self._known(headers.get('cookie', ''))
        if scope['path'] == '/' and scope['query_string']:
            if known:  # the address again
                return RedirectResponse('/', 303)
            return self._enter(scope['query_string'])
        if not known:
            return refused(401, f'this browser is not known: {ADDRESS}')
        if scope['method'] not in ('GET', 'HEAD'):
            if headers.get('origin', '').lower() != f'http://{host}':
                return refused(403, 'a page of another site cannot change anything')
            if not headers.get(HEADER):
                return refused(403, f'the header {HEADER} is missing')
        return None

    def _enter(self, query: bytes) -> Response:
        given = parse_qs(query.decode('latin-1')).get('token', [''])[0]
        right = self.token is not None and _equal(given, self.token)
        if not right:
            return refused(401, f'that token is wrong, or was used already: {ADDRESS}')
        self.token = None
        answer = RedirectResponse('/', 303)
        answer.set_cookie(
            self._cookie, self._key, httponly=True, samesite='strict', max_age=7 * 86400
        )
        return answer

    def _known(self, cookies: str) -> bool:
        pairs = [each.strip().partition('=') for each in cookies.split(';')]
        return any(n == self._cookie and _equal(v, self._key) for n, _, v in pairs)


def _equal(given: str, right: str) -> bool:
    return secrets.compare_digest(given.encode(), right.encode())


def refused(status: int, why: str) -> Response:
    """An answer of one line."""
    return PlainTextResponse(f'{why}\n', status)
