"""Everything that can go wrong, as one shallow tree.

TreeringError
├── Refusal                  a business "no": becomes a verdict and a problem, never a crash
│   ├── InvalidBody          the body does not fit its schema; lists every fault
│   ├── NotFound · AlreadyExists · IsDeleted · IsPurged
│   ├── WrongVersion         the stream does not stand where the sender expected it
│   ├── KeyTaken             another stream holds a unique key
│   ├── ReferenceMissing     a field names something that is not there
│   ├── IsReferred           others refer to it, so it stays
│   ├── IdReused             a command id was used before with another body
│   ├── BulkRefused          some of what a bulk asks may not be, so nothing was done
│   ├── Unstorable           the database cannot take what follows from the command
│   └── TooLarge             an event that would follow is larger than Kafka takes
├── DeadLetter               a record that can not become a command
├── NewerCommand             a command that only a newer release understands; it is parked
├── DeclarationError         a service, entity, kind or read model is declared wrongly
├── SettingsError            a setting is missing or does not fit
├── StoreError
│   ├── StoreUnavailable     the database can not be reached; worth another try
│   │   └── TookTooLong      it gave a statement up, as that took longer than allowed
│   ├── StoreNotReady        not migrated, not durable, too new, of other rules, or appending failed
│   ├── RulesBroken          what is stored breaks rules that were to be added
│   ├── ReadModelAway        this release's version of a read model can not be read yet
│   └── BadRequest           an append that the database refuses whatever the moment
├── UnknownMessage           a type this process does not know; it is older than the log
├── UpcastFailed             a body of an old type can not be read as one of today
├── BusError                 Kafka refused, or did not answer in time
├── RelayStopped             the relay will not guess; an operator decides
├── ProjectionStopped        a read model met an event that it can not fold
├── StillRunning             a service that has processes is not destroyed
└── ServerError              an embedded server could not be fetched, started or stopped
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

type Problem = dict[str, Any]
"""An RFC 9457 problem, ready for JSON."""


class TreeringError(Exception):
    """The base of all errors of this package; its message is one sentence."""


class Refusal(TreeringError):
    """A command that may not be carried out, and why: an outcome, not a crash.

    Subclasses say what kind of "no" it is: *word* ends the problem's type, *title* names the
    kind for people, *status* is what HTTP answers. Values beside the detail become members of
    the problem.

        class RunIsFinished(Refusal, word="run-is-finished", title="The run is finished"): ...

        raise RunIsFinished(f"{run} is finished; start another one.", run=run)
    """

    word: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"
    status: ClassVar[int] = 409

    def __init_subclass__(cls, *, word: str, title: str, status: int = 409) -> None:
        super().__init_subclass__()
        cls.word, cls.title, cls.status = word, title, status

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def problem(self) -> Problem:
        """Return the problem that a client gets."""
        return {
            "type": f"urn:treering:error:{self.word}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }


class InvalidBody(Refusal, word="validation-failed", title="Validation failed", status=422):
    """The body does not fit its schema; `errors` lists up to 100 faults with paths."""

    def __init__(self, detail: str, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(detail, errors=[dict(error) for error in errors])


class NotFound(Refusal, word="not-found", title="Not found", status=404):
    """The stream does not exist."""


class AlreadyExists(Refusal, word="already-exists", title="Already exists"):
    """The stream exists, so it cannot be created."""


class IsDeleted(Refusal, word="is-deleted", title="Is deleted"):
    """The entity is deleted; restore it first."""


class IsPurged(Refusal, word="is-purged", title="Is purged", status=410):
    """The entity was purged and never comes back under this id."""


class WrongVersion(Refusal, word="wrong-version", title="Wrong version", status=412):
    """The stream does not stand at the version that the sender expected."""


class KeyTaken(Refusal, word="key-taken", title="Unique key taken"):
    """Another stream holds a unique key; `holder` names it."""


class ReferenceMissing(Refusal, word="reference-missing", title="Reference missing", status=422):
    """A `field` names something that is not there; `missing` is its stream."""


class IsReferred(Refusal, word="is-referred", title="Is referred to"):
    """Others refer to it, so it stays: `count` of them, one of which is the `example`."""


class IdReused(Refusal, word="id-reused", title="Command id used before", status=422):
    """The command's id was used before with another body; the first verdict stands."""


class BulkRefused(Refusal, word="bulk-refused", title="Nothing was done", status=409):
    """Some items of a bulk may not be; `errors` says which, and why."""


class Unstorable(Refusal, word="unstorable", title="Cannot be stored", status=422):
    """The database cannot take what follows from the command."""


class TooLarge(Refusal, word="too-large", title="Too large", status=413):
    """An event that would follow from the command is larger than Kafka takes."""


class DeadLetter(TreeringError):
    """A record that can not become a command; it is set aside with this reason."""

    def __init__(self, word: str, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.word = word
        self.reason = reason
        self.status = status

    def problem(self) -> Problem:
        """Return the problem that a client with a readable id gets."""
        title = self.word.replace("-", " ").capitalize()
        urn = f"urn:treering:error:{self.word}"
        return {"type": urn, "title": title, "status": self.status, "detail": self.reason}


class NewerCommand(TreeringError):
    """A command that only a newer release understands; it waits for one."""

    def __init__(self, command: str, type: str, revision: int, *, tenant: str) -> None:
        super().__init__(
            f"{type} in its revision {revision} is newer than the handler that has met it; the "
            f"command is kept and decided as soon as one of that release runs: ask "
            f"GET /api/v1/commands/{command} or `treering commands show {command}`."
        )
        self.command = command
        self.tenant = tenant
        self.type = type
        self.revision = revision

    def problem(self) -> Problem:
        """Return the problem that its sender gets for the time being."""
        return {
            "type": "urn:treering:error:parked",
            "title": "Parked",
            "status": 503,
            "detail": str(self),
            "command": self.command,
            "status_url": f"/api/v1/commands/{self.command}",
        }


class DeclarationError(TreeringError):
    """A service, entity, kind or read model is declared wrongly."""


class SettingsError(TreeringError):
    """A setting is missing or does not fit."""


class StoreError(TreeringError):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database can not be reached or has gone away; worth another try."""


class TookTooLong(StoreUnavailable):
    """The database gave a statement up that took longer than allowed."""


class StoreNotReady(StoreError):
    """The database is not migrated, not durable, newer, of other rules, or appending failed."""


class RulesBroken(StoreError):
    """What is stored breaks rules that were to be added; nothing was changed."""

    def __init__(self, count: int, examples: Sequence[str]) -> None:
        left = count - len(examples)
        more = [f"and {left} more"] if left else []
        super().__init__(
            f"Nothing was changed, for what is stored breaks new rules in {count} "
            f"{'place' if count == 1 else 'places'}; mend that and run it again:"
            + "".join(f"\n  {line}" for line in [*examples, *more])
        )
        self.count = count
        self.examples = examples


class ReadModelAway(StoreError):
    """This release's version of a read model can not be read yet; the message says why."""


class BadRequest(StoreError):
    """The database refuses this append whatever the moment; its neighbours are not harmed."""


class UnknownMessage(TreeringError):
    """A message type that this process does not know: it is older than the log."""


class UpcastFailed(TreeringError):
    """A body of an old type can not be read as one of today, by the upcast that is there."""


class BusError(TreeringError):
    """Kafka refused, or did not answer in time."""


class RelayStopped(TreeringError):
    """The relay will not guess; the message says what an operator can decide."""


class ProjectionStopped(TreeringError):
    """A read model met an event that it can not fold."""

    def __init__(self, projection: str, position: int, reason: str) -> None:
        super().__init__(f"{projection} stopped at position {position}: {reason}")
        self.projection = projection
        self.position = position
        self.reason = reason


class StillRunning(TreeringError):
    """A service that has processes is not destroyed."""


class ServerError(TreeringError):
    """An embedded server could not be fetched, started or stopped."""
