"""Row 12: a strict Content-Security-Policy blanks the Swagger page (secure#43).

That a browser draws the page is tests/service/chain/test_docs.py's; this reads the policy as one would.
"""

from html.parser import HTMLParser
from urllib.parse import urljoin

BASE = "http://service.test/docs"
DIRECTIVES = {"script": "script-src", "stylesheet": "style-src", "icon": "img-src"}


class Page(HTMLParser):
    """What a page asks its browser for."""

    def __init__(self):
        super().__init__()
        self.asked: list[tuple[str, str]] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag, attributes):
        fields = dict(attributes)
        if tag == "script":
            self.asked.append(("script-src", fields["src"])) if "src" in fields else self.inline.append(tag)
        elif tag == "link":
            self.asked.append((DIRECTIVES[fields["rel"]], fields["href"]))
        elif tag == "style" or "style" in fields or any(name.startswith("on") for name in fields):
            self.inline.append(tag)


def directives(policy: str) -> dict[str, list[str]]:
    """A policy's directives."""
    return {name: values for name, *values in (part.split() for part in policy.split(";") if part.strip())}


async def test_row_12_the_page_may_load_all_that_it_asks_for(real):
    """secure#43: each script, style and image of the page comes from the service, and its policy allows it."""
    async with real() as served:
        answer = await served.client.get("/docs")
        page = Page()
        page.feed(answer.text)
        assets = [await served.client.get(urljoin(BASE, address)) for _, address in page.asked]
    policy = directives(answer.headers["content-security-policy"])
    assert {directive for directive, _ in page.asked} >= {"script-src", "style-src"}
    assert page.inline == []
    for (directive, address), asset in zip(page.asked, assets, strict=True):
        assert urljoin(BASE, address).startswith("http://service.test/")
        assert "'self'" in policy.get(directive, policy["default-src"])
        assert asset.status_code == 200
        assert asset.headers["x-content-type-options"] == "nosniff"
        assert asset.headers["content-type"].split("/")[0] in {"text", "image", "application"}
    assert "'self'" in policy["connect-src"]


async def test_row_12_the_policy_is_strict_where_nothing_is_drawn(real):
    """The page's allowances are the page's alone; it too runs no inline script and is framed by nobody."""
    async with real() as served:
        page = directives((await served.client.get("/docs")).headers["content-security-policy"])
        for path in ("/api/v1/jobs", "/openapi.json", "/nowhere", "/boom"):
            policy = directives((await served.client.get(path)).headers["content-security-policy"])
            assert policy == {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
    assert page["default-src"] == page["frame-ancestors"] == ["'none'"]
    assert "'unsafe-inline'" not in page["script-src"]
    assert "'unsafe-eval'" not in page["script-src"]
