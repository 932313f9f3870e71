"""What people see in a browser."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest

from tests.gateway.running import Circumstances, running
from treering import ulid
from treering.embedded import Addresses
from treering.gateway import pages
from treering.gateway.forms.accepting import takes_page
from treering.gateway.pages.page import page, state, table

pytestmark = pytest.mark.asyncio(loop_scope="module")
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Read(HTMLParser):
    """What a page leads to and loads, and whether its tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a":
            self.links.append(found["href"] or "")
        self.loads += [found[name] or "" for name in ("src",) if name in found]
        if tag == "link":
            self.loads.append(found["href"] or "")
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_a_browser_is_shown_what_runs_here(http: httpx2.AsyncClient) -> None:
    await http.post("/api/v1/datasets", json={"name": "one"})
    response = await http.get("/", headers=BROWSER)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for said in ("Tests", "1.2.3", "Under test.", "datasets", "healthy", "live"):
        assert said in response.text
    row = re.search(r">datasets</a></th><td[^>]*>([^<]*)</td>", response.text)
    assert row is not None
    assert row[1] == "1"


async def test_every_link_of_a_page_leads_somewhere(http: httpx2.AsyncClient) -> None:
    for address in ("/", "/docs"):
        read = Read((await http.get(address, headers=BROWSER)).text)
        assert read.open == []
        assert read.links
        for each in [*read.links, *(one for one in read.loads if not one.startswith("data:"))]:
            assert each.startswith("/")
            async with http.stream("GET", each, headers=BROWSER) as led:  # events never end
                assert led.status_code == 200, each


async def test_a_program_is_told_the_same_in_json(http: httpx2.AsyncClient) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json, text/html;q=0.5"}):
        found = (await http.get("/", headers=headers)).json()
        assert found["docs"] == "/docs"
        assert found["collections"]["datasets"] == "/api/v1/datasets"


async def test_who_has_no_key_is_shown_no_figures(servers: Addresses) -> None:
    closed = Circumstances(configured=("a-key-for-the-pages",))
    async with running(servers, f"p-{ulid.new()[-12:].lower()}", closed) as service:
        async with httpx2.AsyncClient(base_url=service.url) as nobody:
            locked = await nobody.get("/", headers=BROWSER)
        assert Read(locked.text).open == []
        assert "API key" in locked.text
        assert "datasets" not in locked.text
        known = await service.http.get("/", headers=BROWSER)
        assert "datasets" in known.text


async def test_pages_load_nothing_but_what_is_here(http: httpx2.AsyncClient) -> None:
    home = await http.get("/", headers=BROWSER)
    policy = home.headers["content-security-policy"]
    style = re.search(r"<style>(.*?)</style>", home.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    docs = (await http.get("/docs")).headers["content-security-policy"]
    assert "script-src 'self';" in docs
    assert "http" not in docs + policy


async def test_the_files_of_the_docs_are_not_sent_again(http: httpx2.AsyncClient) -> None:
    first = await http.get("/docs/swagger-ui.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert "SwaggerUIBundle" in first.text
    tag = first.headers["etag"]
    again = await http.get("/docs/swagger-ui.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["etag"]) == (304, tag)


async def test_texts_cannot_become_html() -> None:
    said = '<script>"&'
    rows = table([said, said], [(state(said, is_well=True), state(said, is_well=False))])
    text = bytes(page(said, rows).body).decode()
    assert "<script>" not in text
    assert text.count("&lt;script&gt;&quot;&amp;") >= 4


async def test_own_files_name_no_other_place() -> None:
    folder = Path(pages.__file__).parent
    for each in (*folder.glob("*.js"), *folder.glob("*.css")):
        assert "://" not in each.read_text()


@pytest.mark.parametrize(
    ("said", "is_page"),
    [
        (None, False),
        ("*/*", False),
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("application/json, text/html", False),
        ("text/html;q=0.1, application/json;q=0.2", False),
    ],
)
async def test_a_page_is_for_who_would_rather_have_one(said: str | None, *, is_page: bool) -> None:
    assert takes_page(said) is is_page
