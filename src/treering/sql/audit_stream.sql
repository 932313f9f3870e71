-- Events of one stream, the newest first, by who made them, of which type and request.
--   $1 before this position, $2 after this one, $3 actor, $4 stream, $5 type, $6 correlation (null:
--   whatever), $7 at most
select position, stream, version, id::text as id, type, body, time, recorded_at, tenant, actor,
       correlation, causation, traceparent
  from events
 where stream = $4 and position < $1 and position > $2
   and ($3::text is null or actor = $3)
   and ($5::text is null or type = $5)
   and ($6::text is null or correlation = $6)
 order by version desc
 limit $7
