-- How far the store is, and the builds of some read models, the newest first.
--   $1 names
select head.position as head, said.name, build, version, projection.position, event, state,
       stopped_at, reason, tables
  from head
 cross join unnest($1::text[]) as said (name)
  left join projection on projection.name = said.name
 order by said.name, build desc
