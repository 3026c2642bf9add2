"""Scripts, styles, fonts and icons: everything that pages load comes from this server, and under its version for good.

The version is a hash of all of them together, in the path rather than the name, so that what refers to another by a
relative address (a style to its fonts, a script to its modules) finds that of the same version.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.exceptions import HTTPException

from fairlead.api.access import public

_MEDIA_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
_FOR_GOOD, _FOR_NOW = "public, max-age=31536000, immutable", "no-cache"


@cache
def _contents() -> Mapping[str, bytes]:
    """The content of each file that is served, by its path below `static`."""
    found: dict[str, bytes] = {}

    def collect(folder: Traversable, prefix: str) -> None:
        for each in sorted(folder.iterdir(), key=lambda each: each.name):
            if each.is_dir():
                collect(each, f"{prefix}{each.name}/")
            elif each.name.rpartition(".")[2] in _MEDIA_TYPES:
                found[prefix + each.name] = each.read_bytes()

    collect(files("fairlead.console") / "static", "")
    return found


@cache
def assets_version() -> str:
    """The same for the same files, in every process."""
    digest = hashlib.sha256()
    for name, content in _contents().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def asset_address(name: str) -> str:
    """Where pages load it from. Raises KeyError for a file that is not there, when the page is written."""
    if name not in _contents():
        raise KeyError(f"no asset {name}")
    return f"/static/{assets_version()}/{name}"


def asset_routes() -> APIRouter:
    """The route that answers them all."""
    router = APIRouter(include_in_schema=False, dependencies=[public("scripts, styles and fonts hold no data")])

    @router.get("/static/{version}/{name:path}")
    async def show_asset(  # pyright: ignore[reportUnusedFunction]
        version: Annotated[str, Path()], name: Annotated[str, Path()]
    ) -> Response:
        content = _contents().get(name)
        if content is None:
            raise HTTPException(404)
        # A page of a server that is being replaced may ask for the version of the other one.
        kept = _FOR_GOOD if version == assets_version() else _FOR_NOW
        return Response(content, media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers={"Cache-Control": kept})

    return router
