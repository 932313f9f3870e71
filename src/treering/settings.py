"""What differs between a laptop and a cluster, read from `TREERING_*` and checked at once."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from treering.errors import SettingsError

PREFIX = "TREERING_"
KEYS_OF_OTHERS = "SERVICEKIT_API_KEYS"
"""Where services that were written for servicekit have their API keys."""

_NAME = r"([\w.-]+|\[[\da-fA-F:.]+\])"
"""A host without its port."""

_NAMESPACE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40
_TAKEN = re.compile(r"public|information-schema|pg(-.*)?|.*-read")
"""What would be a schema of PostgreSQL's own, or that of another namespace's read models."""

type Seconds = Annotated[float, Field(gt=0)]


def namespaced(name: str) -> str:
    """Return *name*; raises ValueError, with a reason, if it can be no namespace."""
    if not _NAMESPACE.fullmatch(name) or len(name) > _LONGEST:
        raise ValueError(
            f"use lower-case words joined by '-', at most {_LONGEST} characters, "
            "such as 'lag-model'"
        )
    if _TAKEN.fullmatch(name):
        raise ValueError(
            f"{name!r} would share a schema with PostgreSQL itself or with another service's read "
            "models; take one that is not public nor pg, begins with no 'pg-' and ends with no "
            "'-read'"
        )
    return name


class Settings(BaseModel):
    """All settings; each is `TREERING_` and its name in capitals.

    `Settings.read(os.environ)` reads them, `Settings(kafka=…)` makes them in code; both refuse
    what does not fit with one sentence a fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    app: Path | None = None
    """The folder that holds `service.py`; the working folder unless given."""
    home: Path | None = None
    """The folder for servers, data and the secret; `.treering` beside `service.py` unless given."""
    namespace: Annotated[str, AfterValidator(namespaced)] | None = None
    """Prefixes schemas, topics and groups; the service's id unless given."""

    database: str | None = None
    """URL of the PostgreSQL of handler, relay and projector; the embedded one unless given."""
    database_owner: str | None = None
    """URL used for migrations; `database` unless given."""
    database_reader: str | None = None
    """URL of the gateway, which only reads; `database` unless given."""
    replicas: Annotated[str, Field(pattern=r"^postgres(ql)?://")] | None = None
    """URLs of databases that follow this one, joined by commas; the gateway reads from them."""
    kafka: str | None = None
    """`HOST:PORT` of Kafka, several joined by commas; the embedded one unless given."""
    partitions: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Partitions of new topics: 4 embedded, 12 elsewhere; set once, when a topic is made."""
    replication: Annotated[int, Field(ge=1, le=9)] | None = None
    """Replicas of new topics: 1 embedded, what the cluster says elsewhere."""
    secret: str | None = Field(default=None, repr=False)
    """The key that commands are signed with; `.treering/secret` unless given."""
    kafka_open: bool = False
    """Take unsigned commands although API keys exist."""

    pool_min: Annotated[int, Field(ge=0)] = 1
    """Database connections that a process keeps open."""
    pool_max: Annotated[int, Field(ge=1)] = 8
    """Database connections that a process opens at most."""
    pool_timeout: Seconds = 10
    """Seconds to wait for a connection, and for a statement's answer to begin."""
    pool_recycle: Seconds = 300
    """Seconds after which an unused connection is closed."""
    retry_seconds: Seconds = 30
    """Seconds to try again, with growing pauses, while a server cannot be reached at start."""
    unsafe_durability: bool = False
    """Start although the database may lose what it has acknowledged (fsync off)."""

    host: str = "127.0.0.1"
    """Address the gateway listens on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port of the gateway; `PORT` is read too."""
    allowed_hosts: Annotated[str, Field(pattern=rf"^{_NAME}(,{_NAME})*$")] | None = None
    """Names the gateway answers to besides loopback's, joined by commas; unless given none on
    loopback, any elsewhere."""
    api_keys: str | None = Field(default=None, repr=False)
    """API keys that let in, joined by commas; `SERVICEKIT_API_KEYS` is read too."""
    api_key_file: Path | None = None
    """A file with further ones, a line each."""
    api_key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"
    """The header that says the key."""
    open_paths: Annotated[str, Field(pattern=r"^(/[^\s,]*(,/[^\s,]*)*)?$")] | None = None
    """Paths that are read without a key, joined by commas; `*` at the end: all that begin so."""
    cors_origins: str | None = None
    """Origins whose pages may ask, joined by commas; `*`: all pages."""
    hsts_seconds: Annotated[int, Field(ge=0)] | None = None
    """Seconds for which browsers are told to come over HTTPS only; not told unless given."""
    wait_seconds: Seconds = 10
    """Seconds a request waits for its command's outcome."""
    visible_seconds: Seconds = 1
    """Seconds a write waits until its read model shows it."""
    list_max: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Rows that a list may have which is asked for whole, without a page or a cursor."""
    compress_from: Annotated[int, Field(ge=0)] = 1024
    """Bytes from which on an answer is packed, by gzip or brotli, for who can unpack it."""
    cache: Annotated[str, Field(pattern=r"^(off|memory|(redis|rediss|unix)://.+)$")] = "off"
    """Where the gateway keeps answers: `off`, `memory`, or `redis://HOST:PORT/0` for several."""
    cache_mb: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Megabytes of answers that a gateway keeps."""
    cache_seconds: Seconds = 60
    """Seconds it keeps one, unless its entity says otherwise (`Entity(cache=)`)."""
    read_seconds: Seconds = 5
    """Seconds that PostgreSQL may take over one read of the gateway."""
    read_cost: Annotated[float, Field(ge=0)] = 1_000_000
    """The planner's cost up to which what no index serves is answered; 0 for any."""
    request_seconds: Seconds = 30
    """Seconds until the answer to a request begins; a write has the two waits besides."""
    drain_seconds: Seconds = 10
    """Seconds a role may take to finish what it began once it is told to stop."""
    session_seconds: Seconds | None = None
    """Seconds until a silent handler's work goes to another: 1.5 embedded, 6 elsewhere."""
    accept_read_models: bool = False
    """Take a read model up that was built anew and differs; `treering dev` does unless told not."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Commands that a handler decides at once, at most."""

    jars: Path | None = None
    """A folder with Kafka's jars, for machines without a network."""
    postgres_bin: Path | None = None
    """A folder with the programs of another PostgreSQL, 15 or newer, to start instead."""
    mirror: str | None = None
    """Address of a Maven repository to fetch Kafka's jars from."""
    kafka_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the embedded Kafka; a free one unless given."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings out of *environment*; an unknown `TREERING_*` name is an error."""
        said: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_")
        }
        names = {name: PREFIX + name.upper() for name in said}
        if "PORT" in environment and "port" not in said:
            said["port"], names["port"] = environment["PORT"], "PORT"
        if KEYS_OF_OTHERS in environment and "api_keys" not in said:
            said["api_keys"] = environment[KEYS_OF_OTHERS]
            names["api_keys"] = KEYS_OF_OTHERS
        try:
            return cls.model_validate(said)
        except ValidationError as error:
            faults = [_fault(names[str(each["loc"][0])], each) for each in error.errors()]
            raise SettingsError("; ".join(faults) + ".") from error


def _fault(name: str, error: Any) -> str:
    if error["type"] != "extra_forbidden":
        return f"{name}: {error['msg'].removeprefix('Value error, ')}"
    near = get_close_matches(name.removeprefix(PREFIX).lower(), Settings.model_fields, n=1)
    if near:
        return f"{name} is no setting (did you mean {PREFIX}{near[0].upper()}?)"
    return f"{name} is no setting (docs/reference/settings.md lists them)"
