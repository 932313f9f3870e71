"""The server takes one socket, and ends when it is told to, after what it began."""

import asyncio
import socket

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from treering.errors import SettingsError
from treering.gateway import serve


class Slow:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.began.set()
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def started(
    app: Slow, stop: asyncio.Event, drain_seconds: float = 10
) -> tuple[asyncio.Task[None], str]:
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = serve(
        app, "127.0.0.1", 0, stop, drain_seconds=drain_seconds, listening=listening.set_result
    )
    return asyncio.create_task(serving), await listening


async def test_what_was_begun_is_finished() -> None:
    app, stop = Slow(), asyncio.Event()
    serving, url = await started(app, stop)
    async with httpx2.AsyncClient() as http:
        asked = asyncio.create_task(http.get(url))
        await app.began.wait()
        stop.set()
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])))[1].close()
            except OSError:
                break
        app.may_end.set()
        assert (await asked).text == "done"
    await serving


async def test_what_does_not_end_is_given_up() -> None:
    app, stop = Slow(), asyncio.Event()
    serving, url = await started(app, stop, drain_seconds=1)
    async with httpx2.AsyncClient() as http:
        asked = asyncio.create_task(http.get(url))
        await app.began.wait()
        stop.set()
        async with asyncio.timeout(5):
            await serving
        answers = await asyncio.gather(asked, return_exceptions=True)
        assert not (isinstance(answers[0], httpx2.Response) and answers[0].status_code == 200)


async def test_an_address_that_is_taken_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} .*PORT="):
            await serve(Slow(), "127.0.0.1", port, asyncio.Event())
