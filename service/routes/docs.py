"""The documentation page: Swagger UI from this package, with no other host involved."""

from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from service.access import public
from service.errors import NotFound

# What may be fetched, and as what. The version in the address lets browsers keep them for good.
ASSETS: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "initializer.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
# Everything from here and nothing inline; `data:` for the icons in Swagger UI's own style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
IMMUTABLE = "public, max-age=31536000, immutable"

# Relative addresses: the page works under whatever prefix a proxy puts before it.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="docs/assets/favicon-32x32.png?v={version}">
<link rel="stylesheet" href="docs/assets/swagger-ui.css?v={version}">
</head>
<body>
<div id="swagger-ui" data-openapi="openapi.json"></div>
<script src="docs/assets/swagger-ui-bundle.js?v={version}"></script>
<script src="docs/assets/initializer.js?v={version}"></script>
</body>
</html>
"""


def docs_router(title: str) -> APIRouter:
    """Make the routes `/docs` and `/docs/assets/{name}`.

    Args:
        title: of the page.
    """
    folder = files("service") / "static" / "swagger-ui"
    assets = {name: (folder / name).read_bytes() for name in ASSETS}
    version = sha256(b"".join(assets.values())).hexdigest()[:12]
    page = _PAGE.format(title=escape(title), version=version)
    router = APIRouter(include_in_schema=False)

    @router.get("/docs", **public())
    async def docs() -> HTMLResponse:
        """The page."""
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    @router.get("/docs/assets/{name}", **public())
    async def asset(name: str) -> Response:
        """One file of the page; only those of the list exist."""
        if name not in ASSETS:
            raise NotFound
        headers = {"Cache-Control": IMMUTABLE, "Content-Security-Policy": POLICY}
        return Response(assets[name], media_type=ASSETS[name], headers=headers)

    return router
