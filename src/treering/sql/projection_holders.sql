-- Who holds some locks, alone or shared.
--   $1 the locks' names
select said.name, pg_locks.pid, coalesce(application_name, '') as who
  from unnest($1::text[]) as said (name)
 cross join lateral hashtextextended(said.name, 0) as key
  join pg_locks on locktype = 'advisory' and granted and objsubid = 1
               and classid::bigint = (key >> 32) & 4294967295
               and objid::bigint = key & 4294967295
               and database = (select oid from pg_database where datname = current_database())
  left join pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
 order by who, pg_locks.pid
