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
