-- A column of texts that travelled as one: each led by U+001F; U+001E alone is null.
create function parts(joined text) returns text[]
    language sql immutable strict parallel safe as $$
    select (string_to_array(joined, E'\x1f', E'\x1e'))[2:]
$$;

-- append: all requests of one call, or none, with one answer.
--
-- The head is locked first, then everything else: no other order, in no other function. Then one
-- query looks for whatever stands in the way. If there is anything, nothing is done and the answer
-- says what, request by request; the caller goes again without those. Else all is written, with
-- positions that follow the head. Streams, command ids and keys of a call differ between its
-- requests; the caller sees to that.
--
--   e_*  events in order; positions are the head's plus their place here
--   s_*  streams, the version each must have (0: none), the one it has afterwards (the same: a guard)
--   v_*  verdicts; first and last are places among the events
--   r_*, t_*  unique keys released, then taken
--   x_*  streams whose events before a version are emptied
create function append(
    e_id uuid[], e_stream text[], e_version int[], e_type text[], e_body text[], e_tenant text[],
    e_actor text[], e_correlation text[], e_causation text[], e_traceparent text[],
    e_time timestamptz[],
    s_request int[], s_stream text[], s_kind text[], s_expected int[], s_becomes int[],
    v_request int[], v_id text[], v_tenant text[], v_fingerprint bytea[], v_outcome "char"[],
    v_stream text[], v_version int[], v_first int[], v_last int[], v_problem text[],
    v_changes text[],
    r_key text[], r_stream text[],
    t_request int[], t_key text[], t_stream text[],
    x_stream text[], x_version int[],
    out base bigint, out at timestamptz, out trouble text
)
    language plpgsql
    security definer
    set search_path from current
as $$
declare
    total constant int := coalesce(cardinality(e_stream), 0);
begin
    update head
       set position = position + total, recorded_at = greatest(clock_timestamp(), head.recorded_at)
    returning position - total, head.recorded_at into base, at;

    select json_agg(hindrance)::text into trouble
      from (
        select v.request, 'duplicate' as word, v.id as name, null as holder, 0 as version
          from unnest(v_request, v_id, v_tenant) as v (request, id, tenant)
          join verdict on verdict.id = v.id and verdict.tenant = v.tenant
        union all
        select s.request, 'conflict', s.stream, null, coalesce(stream.version, 0)
          from unnest(s_request, s_stream, s_expected) as s (request, stream, expected)
          left join stream on stream.stream = s.stream
         where coalesce(stream.version, 0) <> s.expected
        union all
        select t.request, 'taken', t.key, unique_key.stream, 0
          from unnest(t_request, t_key, t_stream) as t (request, key, stream)
          join unique_key on unique_key.key = t.key and unique_key.stream <> t.stream
         where not exists (
            select from unnest(r_key, r_stream) as r (key, stream)
             where r.key = unique_key.key and r.stream = unique_key.stream)
      ) as hindrance;

    if trouble is not null then
        update head set position = base;
        return;
    end if;

    if exists (select from unnest(s_expected, s_becomes) as s (e, b) where e > 0 and b > e) then
        update stream set version = s.becomes
          from unnest(s_stream, s_expected, s_becomes) as s (stream, expected, becomes)
         where stream.stream = s.stream and s.expected > 0 and s.becomes > s.expected;
    end if;
    if exists (select from unnest(s_expected, s_becomes) as s (e, b) where e = 0 and b > 0) then
        insert into stream (stream, kind, version)
        select s.stream, s.kind, s.becomes
          from unnest(s_stream, s_kind, s_expected, s_becomes) as s (stream, kind, expected, becomes)
         where s.expected = 0 and s.becomes > 0;
    end if;

    if total > 0 then
        insert into events (position, recorded_at, time, id, version, stream, type, body, tenant, actor,
                            correlation, causation, traceparent)
        select base + e.place, at, e.time, e.id, e.version, e.stream, e.type, e.body, e.tenant, e.actor,
               e.correlation, e.causation, e.traceparent
          from unnest(e_id, e_stream, e_version, e_type, e_body, e_tenant, e_actor, e_correlation,
                      e_causation, e_traceparent, e_time) with ordinality
               as e (id, stream, version, type, body, tenant, actor, correlation, causation,
                     traceparent, time, place);
    end if;

    insert into verdict (recorded_at, first, last, version, outcome, id, tenant, fingerprint,
                         stream, problem, changes)
    select at, base + v.first, base + v.last, v.version, v.outcome, v.id, v.tenant, v.fingerprint,
           v.stream, v.problem, v.changes
      from unnest(v_id, v_tenant, v_fingerprint, v_outcome, v_stream, v_version, v_first, v_last,
                  v_problem, v_changes)
           as v (id, tenant, fingerprint, outcome, stream, version, first, last, problem, changes);

    if cardinality(r_key) > 0 then
        delete from unique_key using unnest(r_key, r_stream) as r (key, stream)
         where unique_key.key = r.key and unique_key.stream = r.stream;
    end if;
    if cardinality(t_key) > 0 then
        insert into unique_key (key, stream)
        select t.key, t.stream from unnest(t_key, t_stream) as t (key, stream)
        on conflict (key) do nothing;
    end if;
    if cardinality(x_stream) > 0 then
        update events set body = ''
          from unnest(x_stream, x_version) as x (stream, version)
         where events.stream = x.stream and events.version < x.version and events.body <> '';
    end if;

    if total > 0 then
        perform pg_notify(current_schema(), (base + total)::text);
    end if;
end $$;

revoke execute on function append from public;

-- Verdicts are kept by three functions, a transaction each, one after the other. None of them holds
-- the head while it waits for a table, or appends would wait with it; and whoever reads verdicts for
-- long makes them fail in an instant, to be called again later.

-- The partitions of days that are old enough to go, the oldest first.
create function old_verdict_days(keep interval) returns setof regclass
    language sql stable
    set search_path from current
as $$
    select inhrelid::regclass from pg_inherits
     where inhparent = 'verdict'::regclass and inhrelid <> 'verdict_rest'::regclass
       and inhrelid::regclass::text <= 'verdict_' || to_char(now() - keep, 'YYYYMMDD')
     order by inhrelid::regclass::text
$$;

-- Says whether this transaction is the one that keeps verdicts; another will do if it is not.
create function alone_with_verdicts() returns boolean
    language sql volatile
    set search_path from current
as $$
    select pg_try_advisory_xact_lock(hashtextextended('verdicts of ' || current_schema(), 0))
$$;

-- make_verdict_days: make the partitions of the days to come.
create function make_verdict_days() returns void
    language plpgsql
    security definer
    set search_path from current
    set lock_timeout to '200ms'
as $$
declare
    day date;
    first_id text;
    next_id text;
begin
    if not alone_with_verdicts() then
        return;
    end if;
    for day in select generate_series(current_date - 1, current_date + 7, interval '1 day') loop
        continue when to_regclass('verdict_' || to_char(day, 'YYYYMMDD')) is not null;
        first_id := ulid_floor(day::timestamp at time zone 'UTC');
        next_id := ulid_floor((day + 1)::timestamp at time zone 'UTC');
        -- Where the default partition holds ids of that day already, they stay there.
        continue when exists (select from verdict_rest where id >= first_id and id < next_id);
        begin
            execute format('create table %I partition of verdict for values from (%L) to (%L)',
                'verdict_' || to_char(day, 'YYYYMMDD'), first_id, next_id);
        exception when check_violation then
            null; -- one came in between
        end;
    end loop;
end $$;

revoke execute on function make_verdict_days from public;

-- move_horizon: before anything may be dropped, say which commands are too old to be decided: those
-- that Kafka took before the horizon. It moves only if there is something to drop.
create function move_horizon(keep interval) returns void
    language plpgsql
    security definer
    set search_path from current
as $$
declare
    part regclass;
    newest timestamptz;
    due boolean;
begin
    if not alone_with_verdicts() then
        return;
    end if;
    due := exists (select from verdict_rest where recorded_at < now() - keep);
    for part in select old_verdict_days(keep) loop
        exit when due;
        execute format('select max(recorded_at) from %s', part) into newest;
        due := coalesce(newest < now() - keep, false);
    end loop;
    if due then
        update head set horizon = greatest(horizon, now() - keep);
    end if;
end $$;

revoke execute on function move_horizon from public;

-- drop_verdicts: drop what was recorded before the horizon, which an earlier transaction has moved:
-- from days of their own one day, from the rest all. Says whether it dropped a day: call it again.
create function drop_verdicts(keep interval) returns boolean
    language plpgsql
    security definer
    set search_path from current
    set lock_timeout to '200ms'
as $$
declare
    upto constant timestamptz := (select horizon from head);
    stays constant text := 'select exists (select from %s where $1 is null or recorded_at >= $1)';
    part regclass;
    needed boolean;
begin
    if not alone_with_verdicts() then
        return false;
    end if;
    delete from verdict_rest where recorded_at < upto;
    for part in select old_verdict_days(keep) loop
        execute format(stays, part) using upto into needed;
        continue when needed;
        -- Now that nobody can add to it, look again.
        execute format('lock table %s in share mode', part);
        execute format(stays, part) using upto into needed;
        continue when needed;
        execute format('drop table %s', part);
        return true;
    end loop;
    return false;
end $$;

revoke execute on function drop_verdicts from public;

select make_verdict_days();
