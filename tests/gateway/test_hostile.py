"""Whoever sends nonsense, by mistake or on purpose, is told precisely what is wrong."""

import asyncio
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest

from tests.gateway.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")
INVALID = "validation-failed"
DATASETS = "/api/v1/datasets"
CONFIGS = "/api/v1/configs"
LEAKS = re.compile(
    rb"Traceback|asyncpg|sqlalchemy|psycopg|File \"|/src/|site-packages|\bselect\b.*\bfrom\b",
    re.IGNORECASE | re.DOTALL,
)
SQL = "'; drop table datasets; --"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def sent(service: Running, raw: bytes) -> Answer:
    """Send *raw* as it stands and read one answer."""
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        async with asyncio.timeout(20):
            writing = asyncio.create_task(_written(writer, raw))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
            length = headers.get("content-length")
            body = await (reader.readexactly(int(length)) if length else reader.read())
            writing.cancel()
    finally:
        writer.close()
    return Answer(int(first.split()[1]), headers, body)


async def _written(writer: asyncio.StreamWriter, raw: bytes) -> None:
    writer.write(raw)
    await writer.drain()


def said(
    method: str, path: str, body: bytes | None = None, *, headers: bytes = b"", json: bool = True
) -> bytes:
    """Return a request in bytes; the path is not touched."""
    lines = b"%s %s HTTP/1.1\r\nhost: localhost\r\n" % (method.encode(), path.encode("latin-1"))
    if body is not None:
        lines += b"content-length: %d\r\n" % len(body)
        lines += b"content-type: application/json\r\n" if json else b""
    return lines + headers + b"\r\n" + (body or b"")


def get(path: str, headers: bytes = b"") -> bytes:
    return said("GET", path, headers=headers)


def post(body: bytes | str, path: str = DATASETS, headers: bytes = b"") -> bytes:
    return said("POST", path, body.encode() if isinstance(body, str) else body, headers=headers)


def plain(body: bytes, headers: bytes) -> bytes:
    """Return a POST whose type is what *headers* say."""
    return said("POST", DATASETS, body, headers=headers, json=False)


def chunked(body: bytes) -> bytes:
    head = b"POST %s HTTP/1.1\r\nhost: localhost\r\n" % DATASETS.encode()
    return head + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n" + body


def where(said: object) -> str:
    return f"{DATASETS}?filter={quote(json.dumps(said))}"


def nested() -> object:
    found: object = {"name": "x"}
    for _ in range(40):
        found = {"and": [found]}
    return found


HOSTILE = {
    # SQL, in every place
    "sql as an id": (get(f"{DATASETS}/{quote(SQL)}"), 404, "not-found"),
    "sql as an id where ids are ulids": (get(f"{CONFIGS}/{quote(SQL)}"), 400, "invalid-ulid"),
    "sql as a field": (get(f"{DATASETS}?{quote(SQL)}=1"), 422, INVALID),
    "sql as an operator": (get(f"{DATASETS}?name[{quote(SQL)}]=1"), 422, INVALID),
    "sql as a number": (get(f"{DATASETS}?rows={quote('1 or 1=1')}"), 422, INVALID),
    "sql as an order": (get(f"{DATASETS}?sort={quote('name; drop table x')}"), 422, INVALID),
    "sql as a direction": (get(f"{DATASETS}?sort=name:{quote('desc nulls last')}"), 422, INVALID),
    "sql as fields": (get(f"{DATASETS}?fields={quote('name,(select 1)')}"), 422, INVALID),
    "sql as a page": (get(f"{DATASETS}?page={quote('1;select 1')}&size=1"), 422, INVALID),
    "sql as a cursor": (get(f"{DATASETS}?cursor={quote(SQL)}"), 422, INVALID),
    "sql as a group": (get(f"{DATASETS}/$aggregate?group_by={quote(SQL)}"), 422, INVALID),
    "sql as facets": (get(f"{DATASETS}/$facets?of={quote(SQL)}"), 422, INVALID),
    "sql as a filter": (get(where({SQL: 1})), 422, INVALID),
    "sql as a position": (get(f"{DATASETS}?min_position={quote(SQL)}"), 422, INVALID),
    "sql as a moment": (get(f"{DATASETS}/x?as_of={quote(SQL)}"), 422, INVALID),
    "nul in a command's id": (get("/api/v1/commands/a%00b"), 404, "not-found"),
    # Numbers
    "a huge page": (get(f"{DATASETS}?page={'9' * 400}&size=1"), 422, INVALID),
    "a negative page": (get(f"{DATASETS}?page=-1&size=10"), 422, INVALID),
    "page nought": (get(f"{DATASETS}?page=0&size=10"), 422, INVALID),
    "a negative size": (get(f"{DATASETS}?page=1&size=-10"), 422, INVALID),
    "a fraction as a page": (get(f"{DATASETS}?page=1.5&size=10"), 422, INVALID),
    "digits of another script": (get(f"{DATASETS}?page={quote('٣')}&size=10"), 422, INVALID),
    "a huge number": (get(f"{DATASETS}?rows[gt]={'9' * 30}"), 422, INVALID),
    "a huge number in JSON": (get(where({"rows[gt]": 10**40})), 422, INVALID),
    "a fraction for a whole number": (get(f"{DATASETS}?rows=1.5"), 422, INVALID),
    "no number": (get(f"{DATASETS}?rows=NaN"), 422, INVALID),
    "infinity": (get(f"{DATASETS}?rows=1e999"), 422, INVALID),
    "a huge position": (get(f"{DATASETS}?min_position={'9' * 60}"), 422, INVALID),
    "a huge number in a body": (post('{"name": "x", "rows": %s}' % ("9" * 60)), 422, INVALID),
    "a moment far away": (get(f"{DATASETS}?created_at[gt]=99999-01-01T00:00:00Z"), 422, INVALID),
    # What is no text
    "nul in an id": (get(f"{DATASETS}/a%00b"), 404, "not-found"),
    "nul in a value": (get(f"{DATASETS}?name=a%00b"), 422, INVALID),
    "nul in a JSON filter": (get(where({"name": "a\0b"})), 422, INVALID),
    "nul in a path into JSON": (get(f"{DATASETS}?data.a%00b=1"), 422, INVALID),
    "nul in a body": (post('{"name": "a\\u0000b"}'), 422, INVALID),
    "nul in a key of a body": (post('{"name": "x", "data": {"a\\u0000": 1}}'), 422, INVALID),
    "half a surrogate in a body": (post('{"name": "\\ud800"}'), 400, "bad-request"),
    "bad utf-8 in a path": (get(f"{DATASETS}/%ff%fe"), 404, "not-found"),
    "bad utf-8 in a query": (get(f"{DATASETS}?name=%ff%fe"), 400, "bad-request"),
    "bad utf-8 as a name": (get(f"{DATASETS}?%ff=1"), 400, "bad-request"),
    "raw bytes in a query": (get(f"{DATASETS}?name=\xff"), 400, "bad-request"),
    "bad utf-8 in a body": (post(b'{"name": "\xff\xfe"}'), 400, "bad-request"),
    "utf-16 as a body": (post('{"name": "x"}'.encode("utf-16")), 400, "bad-request"),
    # Encodings of addresses
    "half a percent": (get(f"{DATASETS}/%"), 404, "not-found"),
    "a percent of no digits": (get(f"{DATASETS}/%zz"), 404, "not-found"),
    "a percent twice": (get(f"{DATASETS}/%252e%252e"), 404, "not-found"),
    "a way up": (get(f"{DATASETS}/../../../etc/passwd"), 404, "not-found"),
    "a hidden way up": (get(f"{DATASETS}/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), 404, "not-found"),
    "a way up alone": (get(f"{DATASETS}/.."), 404, "not-found"),
    "an empty segment": (get("/api//v1/datasets"), 404, "not-found"),
    "a backslash": (get(f"{DATASETS}\\..\\x"), 404, "not-found"),
    # Questions
    "a parameter said twice": (get(f"{DATASETS}?page=1&page=2&size=1"), 422, INVALID),
    "a field said twice": (get(f"{DATASETS}?name=a&name=b"), 422, INVALID),
    "an unknown parameter": (get(f"{DATASETS}?nmae=a"), 422, INVALID),
    "an open bracket": (get(f"{DATASETS}?name[=a"), 422, INVALID),
    "no name": (get(f"{DATASETS}?=a"), 422, INVALID),
    "a filter that is no JSON": (get(f"{DATASETS}?filter={{"), 422, INVALID),
    "a filter that is a list": (get(where([1, 2])), 422, INVALID),
    "a key twice in a filter": (get(f"{DATASETS}?filter={quote('{"name": "a", "name": "b"}')}"),
                                422, INVALID),
    "a filter in itself": (get(where(nested())), 422, INVALID),
    "a filter deep beyond measure": (get(f"{DATASETS}?filter={'[' * 9000}"), 422, INVALID),
    "eleven filters": (get(f"{DATASETS}?" + "&".join(f"rows[gt]={x}" for x in "0")
                           + "".join(f"&data.a{x}=1" for x in range(11))), 422, INVALID),
    "too many values": (get(f"{DATASETS}?rows[in]={','.join(['1'] * 500)}"), 422, INVALID),
    "a pattern that ends in an escape": (get(f"{DATASETS}?name[like]=a%5C"), 422, INVALID),
    "a word that is none": (get(f"{DATASETS}?include_deleted=perhaps"), 422, INVALID),
    "a cursor of nothing": (get(f"{DATASETS}?cursor=%00"), 422, INVALID),
    # Bodies
    "no body": (said("POST", DATASETS, b""), 400, "bad-request"),
    "no JSON": (post("{nope}"), 400, "bad-request"),
    "half of JSON": (post('{"name": "x"'), 400, "bad-request"),
    "two of JSON": (post('{"name": "x"}{"name": "y"}'), 400, "bad-request"),
    "a list": (post("[]"), 422, INVALID),
    "null": (post("null"), 422, INVALID),
    "no number as JSON has it": (post('{"name": "x", "rows": NaN}'), 400, "bad-request"),
    "deep JSON": (post('{"name": "x", "data": ' + '{"a":' * 5000 + "1" + "}" * 5001),
                  422, INVALID),
    "deep lists": (post("[" * 100_000), 400, "bad-request"),
    "a key twice": (post('{"name": "x", "name": "y"}'), 400, "bad-request"),
    "a key twice within": (post('{"name": "x", "data": {"a": 1, "a": 2}}'), 400, "bad-request"),
    "an unknown field": (post('{"name": "x", "nmae": "y"}'), 422, INVALID),
    "a field of ours": (post('{"name": "x", "_version": 9}'), 422, INVALID),
    "a wrong type": (post('{"name": 1}'), 422, INVALID),
    "a wrong id": (post('{"name": "x", "id": "../x"}'), 422, INVALID),
    "a long id": (post('{"name": "x", "id": "%s"}' % ("x" * 10_000)), 422, INVALID),
    "ten megabytes": (post('{"name": "%s"}' % ("x" * 10_000_000)), 413, "too-large"),
    "ten megabytes in chunks": (chunked(b"989680\r\n" + b"x" * 10_000_000 + b"\r\n0\r\n\r\n"),
                                413, "too-large"),
    "another type": (plain(b"<a/>", b"content-type: text/xml\r\n"), 415, "unsupported-media-type"),
    "a form": (plain(b"name=x", b"content-type: application/x-www-form-urlencoded\r\n"),
               415, "unsupported-media-type"),
    "no type": (plain(b"{}", b""), 415, "unsupported-media-type"),
    "another charset": (plain(b"{}", b"content-type: application/json; charset=utf-16\r\n"),
                        415, "unsupported-media-type"),
    "a bulk of nothing known": (post('{"destroy": []}', f"{DATASETS}/$bulk"), 422, INVALID),
    # HTTP itself
    "a method that is none": (said("BREW", DATASETS), 400, "bad-request"),
    "a method of others": (said("TRACE", DATASETS), 405, "method-not-allowed"),
    "a method that is not taken here": (said("DELETE", DATASETS), 405, "method-not-allowed"),
    "another host": (b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n", 421, "unknown-host"),
    "another page": (post("{}", headers=b"origin: https://evil.example\r\n"), 403, "cross-site"),
    "a wrong version": (said("PUT", f"{DATASETS}/x", b"{}", headers=b"if-match: nonsense\r\n"),
                        412, "wrong-version"),
    "a position that is none": (get(DATASETS, b"treering-position: x:y:-1\r\n"), 422, INVALID),
    "two lengths": (post("{}", headers=b"content-length: 5\r\n"), 400, "bad-request"),
    "a length below nought": (plain(b"", b"content-length: -1\r\n"), 400, "bad-request"),
    "a length and chunks": (post("{}", headers=b"transfer-encoding: chunked\r\n"),
                            400, "bad-request"),
    "a chunk of no size": (chunked(b"zz\r\n{}\r\n0\r\n\r\n"), 400, "bad-request"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "bad-request"),
    "a header with a line within": (get("/", b"x-a: b\rc: d\r\n"), 400, "bad-request"),
    "a name with a blank": (get("/", b"x a: b\r\n"), 400, "bad-request"),
    "huge headers": (get("/", b"x-a: " + b"a" * 200_000 + b"\r\n"), 431, "head-too-large"),
    "a huge address": (get(f"{DATASETS}?name={'a' * 200_000}"), 414, "long-address"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_nonsense_is_told_what_it_is(service: Running, name: str) -> None:
    raw, status, word = HOSTILE[name]
    answer = await sent(service, raw)
    assert answer.headers.get("content-type") == "application/problem+json", answer
    found = json.loads(answer.body)
    assert (answer.status, found["type"].rpartition(":")[2]) == (status, word), found
    assert found["status"] == status
    assert {"title", "detail", "instance"} <= found.keys()
    assert not LEAKS.search(answer.body), found
    assert len(answer.body) < 20_000


async def test_it_answers_as_before(service: Running) -> None:
    assert (await service.http.get("/health/ready")).status_code == 200
    assert (await service.http.get(DATASETS)).json() is not None
