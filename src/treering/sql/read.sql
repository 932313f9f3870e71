-- Events after a position, in the order of positions.
--   $1 after, $2 at most
select position, stream, version, id::text as id, type, body, time, recorded_at, tenant, actor,
       correlation, causation, traceparent
  from events
 where position > $1
 order by position
 limit $2
