-- Events, the newest first, by who made them, about what, of which type and request.
--   $1 before this position, $2 after this one, $3 actor, $4 stream, $5 kind, $6 type, $7 correlation
--   (null: whatever), $8 at most
select position, stream, version, id::text as id, type, body, time, recorded_at, tenant, actor,
       correlation, causation, traceparent
  from events
 where position < $1 and position > $2
   and ($3::text is null or actor = $3)
   and ($4::text is null or stream = $4)
   and ($5::text is null or stream like $5 || '/%')
   and ($6::text is null or type = $6)
   and ($7::text is null or correlation = $7)
 order by position desc
 limit $8
