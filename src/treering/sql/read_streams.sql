-- The events of some streams, each in order, from after one version up to another.
--   $1 streams, $2 after (one each), $3 up to (one each)
select e.position, e.stream, e.version, e.id::text as id, e.type, e.body, e.time, e.recorded_at,
       e.tenant, e.actor, e.correlation, e.causation, e.traceparent
  from unnest($1::text[], $2::int[], $3::int[]) as asked (stream, after, upto)
 cross join lateral (
    select * from events
     where events.stream = asked.stream
       and events.version > asked.after and events.version <= asked.upto
     order by events.version
 ) as e
