"""`/docs`: every address with a form to try it, made in the browser from `/openapi.json`.

It is Swagger UI as a package on this machine brings it; nothing is loaded from elsewhere.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from treering.gateway.http.caching import is_known
from treering.gateway.http.routes import Routes
from treering.gateway.pages.page import POLICY, link, page
from treering.service import Service

ADDRESS = "/docs"
_PACKAGE = "offapi"
_HERE = Path(__file__).parent
_FILES: Mapping[str, tuple[str, str]] = {
    "swagger-ui.js": ("swagger_bundle.js", "text/javascript"),
    "swagger-ui.css": ("swagger_style.css", "text/css"),
    "docs.js": ("docs.js", "text/javascript"),
    "docs.css": ("docs.css", "text/css"),
}
"""Files under the address: what they are called where they lie, and what they are."""
_POLICY: Mapping[str, str] = {
    **POLICY,
    "script-src": "'self'",
    "style-src": f"{POLICY['style-src']} 'self'",
    "connect-src": "'self'",
}
_HEAD = "".join([
    f'\n<link rel="stylesheet" href="{ADDRESS}/swagger-ui.css">',
    f'\n<link rel="stylesheet" href="{ADDRESS}/docs.css">',
    f'\n<script src="{ADDRESS}/swagger-ui.js" defer></script>',
    f'\n<script src="{ADDRESS}/docs.js" defer></script>',
])  # fmt: skip


class Docs:
    """The page, and the files that it consists of."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def add_to(self, routes: Routes) -> None:
        """Add its addresses."""
        routes.add("GET", ADDRESS, self.page)
        for name in _FILES:
            routes.add("GET", f"{ADDRESS}/{name}", partial(_file, name))

    async def page(self, _request: Request) -> Response:
        """Answer with the page."""
        title = f"{self._service.display_name}: all addresses"
        return page(title, _BODY, head=_HEAD, policy=_POLICY)


_BODY: Sequence[str] = [
    f"<nav>{link('/', 'What runs here')}{link('/openapi.json', 'OpenAPI')}</nav>",
    '<form id="gate" hidden><p id="why"></p>',
    '<label for="key">API key</label><input id="key" type="password" autocomplete="off">',
    "<button>Go on</button></form>",
    '<div id="docs"><noscript><p>This page is made by a script; it shows what follows.</p>',
    f"<p>{link('/openapi.json', 'The description of all addresses')}</p></noscript></div>",
]


async def _file(name: str, request: Request) -> Response:
    """Answer with one of the files; a browser asks again only whether it has changed."""
    found, kind = _FILES[name]
    tag = f'"{version("treering")}-{version(_PACKAGE)}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    body = await asyncio.to_thread(_place(found).read_bytes)
    return Response(body, headers=headers, media_type=kind)


def _place(name: str) -> Path:
    """Return where a file lies; the package is not imported, as it would read all that it has."""
    if (own := _HERE / name).exists():
        return own
    spec = find_spec(_PACKAGE)
    [folder, *_] = (spec and spec.submodule_search_locations) or [""]
    return Path(folder) / name
