-- The builds of some read models, the newest first.
--   $1 names
select name, build, version, position, event, state, stopped_at, reason, tables
  from projection
 where name = any($1)
 order by name, build desc
