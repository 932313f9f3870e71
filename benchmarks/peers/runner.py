# pyright: basic, reportMissingImports=false
"""The projection runner of the `eventsourcing` library, on PostgreSQL, as its documentation has it.

Arguments: host and port. Each line "STREAMS EVENTS" has so many events of so many aggregates
recorded, and is answered with events a second from the runner's start until its view has them all.
"""

import random
import sys
import time
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

NAME = "Rainfall in the northern provinces, by month and station"
SOURCE = "s3://observations/rain/2026/11/northern.parquet"
COLUMNS = ["station", "month", "millimetres"]
CHUNK = 1000


class Dataset(Aggregate):
    """What has histories: created, then updated."""

    @event("Created")
    def __init__(self, name: str, rows: int, source: str, columns: list[str]) -> None:
        self.name, self.rows, self.source, self.columns = name, rows, source, columns

    @event("Updated")
    def update(self, rows: int, source: str) -> None:
        self.rows, self.source = rows, source


class Datasets(Application[UUID]):
    """Where they are recorded."""

    name = "datasets"


class View(PostgresTrackingRecorder):
    """A row of each."""

    def __init__(
        self, datastore: PostgresDatastore, *, tracking_table_name: str, **options: object
    ) -> None:
        super().__init__(datastore, tracking_table_name=tracking_table_name, **options)
        self.sql_create_statements.append(
            SQL(
                "create table if not exists runner_view (id uuid primary key, version int, "
                "created_at timestamptz, updated_at timestamptz, name text, rows bigint, "
                "source text, columns jsonb)"
            )
        )

    def put(self, event: Dataset.Created, tracking: Tracking) -> None:
        """Insert a row."""
        values = (
            event.originator_id, event.originator_version, event.timestamp, event.timestamp,
            event.name, event.rows, event.source, Jsonb(event.columns),
        )  # fmt: skip
        with self.datastore.transaction(commit=True) as curs:
            self._insert_tracking(curs, tracking)
            curs.execute(
                "insert into runner_view values (%s, %s, %s, %s, %s, %s, %s, %s)",
                values,
                prepare=True,
            )

    def patch(self, event: Dataset.Updated, tracking: Tracking) -> None:
        """Update a row."""
        values = (
            event.originator_version, event.timestamp, event.rows, event.source,
            event.originator_id,
        )  # fmt: skip
        with self.datastore.transaction(commit=True) as curs:
            self._insert_tracking(curs, tracking)
            curs.execute(
                "update runner_view set version = %s, updated_at = %s, rows = %s, source = %s "
                "where id = %s",
                values,
                prepare=True,
            )


class Folding(Projection[View]):
    """From events to rows."""

    name = "folding"
    topics = (get_topic(Dataset.Created), get_topic(Dataset.Updated))

    @singledispatchmethod
    def process_event(self, _: object, tracking: Tracking) -> None:
        """Track what concerns nobody."""
        self.view.insert_tracking(tracking)

    @process_event.register
    def _(self, created: Dataset.Created, tracking: Tracking) -> None:
        self.view.put(created, tracking)

    @process_event.register
    def _(self, updated: Dataset.Updated, tracking: Tracking) -> None:
        self.view.patch(updated, tracking)


def record(application: Datasets, streams: int, versions: int) -> int:
    """Record the histories, events of a stream anywhere and in order; return the last id."""
    datasets = [Dataset(NAME, 184_223, SOURCE, COLUMNS) for _ in range(streams)]
    for dataset in datasets:
        for number in range(versions - 1):
            dataset.update(184_224 + number, SOURCE)
    waiting = [iter(dataset.collect_events()) for dataset in datasets]
    places = [place for place in range(streams) for _ in range(versions)]
    random.Random(0).shuffle(places)
    events = [next(waiting[place]) for place in places]
    for first in range(0, len(events), CHUNK):
        stored = [application.mapper.to_stored_event(e) for e in events[first : first + CHUNK]]
        application.recorder.insert_events(stored)
    return application.recorder.max_notification_id()


def measure(env: dict[str, str], last: int, count: int) -> float:
    """Return events a second of a runner that is behind by *count* events."""
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=Datasets, projection_class=Folding, view_class=View, env=env
    ) as runner:
        runner.wait(last, timeout=120)
        return count / (time.perf_counter() - began)


def main(host: str, port: str) -> None:
    """Answer each line."""
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "postgres",
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": port,
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "",
    }
    application = Datasets(env)
    measure(env, record(application, 1, 1), 1)
    for line in sys.stdin:
        streams, versions = map(int, line.split())
        last = record(application, streams, versions)
        print(measure(env, last, streams * versions), flush=True)


main(*sys.argv[1:3])
