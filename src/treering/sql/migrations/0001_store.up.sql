-- The store: events, where each stream stands, verdicts, unique keys, and one head.
-- Names are unqualified: the search path is the store's schema while this runs.

create table head (
    one         boolean primary key default true check (one),
    position    bigint not null default 0,
    recorded_at timestamptz not null default '1970-01-01 00:00:00+00',
    epoch       text collate "C" not null default gen_random_uuid()::text,
    horizon     timestamptz
) with (fillfactor = 10);

comment on table head is 'One row: the last position, and the lock that every append takes first.';

insert into head default values;

create table events (
    position    bigint primary key,
    recorded_at timestamptz not null,
    time        timestamptz not null,
    id          uuid not null,
    version     integer not null,
    stream      text collate "C" not null,
    type        text collate "C" not null,
    body        text collate "C" not null,
    tenant      text collate "C" not null,
    actor       text collate "C" not null,
    correlation text collate "C" not null,
    causation   text collate "C" not null,
    traceparent text collate "C",
    unique (stream, version)
);

comment on column events.body is 'JSON as it was written; empty once it was erased.';

create table stream (
    stream  text collate "C" primary key,
    kind    text collate "C" not null,
    version integer not null
) with (fillfactor = 70);

create table verdict (
    recorded_at timestamptz not null,
    first       bigint,
    last        bigint,
    version     integer not null,
    outcome     "char" not null check (outcome in ('a', 'r', 'n')),
    id          text collate "C" not null,
    tenant      text collate "C" not null,
    fingerprint bytea not null,
    stream      text collate "C" not null,
    problem     text collate "C",
    changes     text collate "C",
    primary key (id, tenant)
) partition by range (id);

comment on table verdict is 'What was decided of each command: a(ccepted), r(efused), n(othing to do).';

create table verdict_rest partition of verdict default;

create table unique_key (
    key    text collate "C" primary key,
    stream text collate "C" not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.body = '' and old.position = new.position then
        new := old;
        new.body := '';
        return new;
    end if;
    raise exception 'events are never changed nor deleted';
end $$;

create trigger events_stay before update or delete on events
    for each row execute function refuse_change();
create trigger events_stay_all before truncate on events
    for each statement execute function refuse_change();

-- The smallest ULID of a moment, without its random part: where a day's range of verdicts begins.
create function ulid_floor(moment timestamptz) returns text
    language sql immutable strict as $$
    select string_agg(
        substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((ms >> (45 - 5 * n)) & 31)::int + 1, 1), ''
        order by n)
    from (select floor(extract(epoch from moment) * 1000)::bigint as ms) as said,
         generate_series(0, 9) as n
$$;

-- A column of texts that travelled as one: each led by U+001F; U+001E alone is null.
create function parts(joined text) returns text[]
    language sql immutable strict parallel safe as $$
    select (string_to_array(joined, E'\x1f', E'\x1e'))[2:]
$$;
