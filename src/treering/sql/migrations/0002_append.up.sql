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
--   g_*  streams that are gone with this: the names among the keys released
--   d_*, n_*  references dropped, then made anew
--   x_*  streams whose events before a version are emptied
--   rules  the digest of the rules by which all this was decided; null: none were asked for
--
-- What a call has none of is null, which costs nothing.
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
    g_request int[], g_stream text[],
    d_parent text[], d_child text[], d_field text[],
    n_request int[], n_parent text[], n_child text[], n_field text[],
    x_stream text[], x_version int[],
    rules text,
    out base bigint, out at timestamptz, out trouble text
)
    language plpgsql
    security definer
    set search_path from current
as $$
declare
    total constant int := coalesce(cardinality(e_stream), 0);
    stored text;
begin
    update head
       set position = position + total, recorded_at = greatest(clock_timestamp(), head.recorded_at)
    returning position - total, head.recorded_at, head.rules into base, at, stored;

    if rules <> stored then
        update head set position = base;
        trouble := 'rules';
        return;
    end if;

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

    if trouble is null and (n_parent is not null or g_stream is not null) then
        select json_agg(hindrance)::text into trouble
          from (
            select n.request, 'missing' as word, n.parent as name, n.child as holder, n.field, 0 as count
              from unnest(n_request, n_parent, n_child, n_field) as n (request, parent, child, field)
             where case when exists (select from unique_key where unique_key.key = n.parent)
                        then n.parent = any (g_stream)
                        else coalesce(n.parent <> all (t_key), true) end
            union all
            select g.request, 'referred', g.stream, min(held.child), '', count(*)
              from unnest(g_request, g_stream) as g (request, stream)
             cross join lateral (
                select distinct reference.child from reference
                 where reference.parent = g.stream
                   and not exists (
                    select from unnest(d_parent, d_child, d_field) as d (parent, child, field)
                     where d.parent = reference.parent and d.child = reference.child
                       and d.field = reference.field)
                 order by reference.child
                 limit 1001) as held
             group by g.request, g.stream
          ) as hindrance;
    end if;

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
    if d_parent is not null then
        delete from reference using unnest(d_parent, d_child, d_field) as d (parent, child, field)
         where reference.parent = d.parent and reference.child = d.child
           and reference.field = d.field;
    end if;
    if n_parent is not null then
        insert into reference (parent, child, field)
        select n.parent, n.child, n.field
          from unnest(n_parent, n_child, n_field) as n (parent, child, field)
        on conflict do nothing;
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
