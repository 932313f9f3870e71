"""What a service on a laptop stands on: its port, its secret, its database's users."""

import os
import secrets
import socket
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from treering.embedded import Addresses, ServerOptions
from treering.errors import ServerError
from treering.settings import Settings

LOOPBACK = ("127.", "localhost", "::1")
_ONE_BROKER = {"partitions": 4, "replication": 1, "session_seconds": 1.5}
"""What a single broker of our own wants, where nobody said otherwise."""
EVENTS_BYTES = 256 << 20
"""What each topic of events may take there; the store can send any of them again."""
_SECRET = "secret"  # noqa: S105 - the file's name


def listener(settings: Settings) -> socket.socket:
    """Take the port of the gateway, so that it stays ours while gateways come and go."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise ServerError(
            f"Port {settings.port} of {settings.host} can not be had ({error.strerror}): stop who "
            f"listens there, or choose another one, such as PORT={settings.port + 1}."
        ) from error
    taken.listen(1024)
    return taken


def is_loopback(settings: Settings) -> bool:
    """Tell whether only this machine can reach the gateway."""
    return settings.host.startswith(LOOPBACK)


def http_of(taken: socket.socket) -> str:
    """Return the address at which a person reaches the gateway."""
    host, port = taken.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def secret(home: Path) -> str:
    """Return the key that commands are signed with; made once, for this user alone."""
    file = home / _SECRET
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    key = secrets.token_hex(32)
    with os.fdopen(made, "w") as text:
        text.write(f"{key}\n")
    return key


def settled(settings: Settings, addresses: Addresses, namespace: str) -> Settings:
    """Return *settings* with the servers' addresses.

    On our own PostgreSQL the superuser migrates, and writer and reader are users of their own.
    """
    owner = addresses.database
    if settings.database is None:
        name = namespace.replace("-", "_")
        users = {"database": f"{name}_writer", "database_reader": f"{name}_reader"}
        places = {key: _as_user(owner, user) for key, user in users.items()}
    else:
        places = {
            "database": settings.database,
            "database_reader": settings.database_reader or settings.database,
        }
    return settings.model_copy(
        update={
            "kafka": addresses.kafka,
            "database_owner": settings.database_owner or owner,
            **places,
        }
    )


def server_options(settings: Settings) -> ServerOptions:
    """Return which servers to start: those that no setting names."""
    return ServerOptions(
        kafka=settings.kafka,
        database=settings.database_owner or settings.database,
        kafka_port=settings.kafka_port,
        jars=settings.jars,
        mirror=settings.mirror,
        postgres_bin=settings.postgres_bin,
    )


def on_one_broker(settings: Settings) -> Settings:
    """Return *settings* for a single Kafka of our own."""
    unsaid = {name: value for name, value in _ONE_BROKER.items() if getattr(settings, name) is None}
    return settings.model_copy(update=unsaid)


def on_a_laptop(settings: Settings) -> Settings:
    """Return *settings* with what suits a person who changes code and looks at what comes of it."""
    if "accept_read_models" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"accept_read_models": True})


def _as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user)}@{host}"))
