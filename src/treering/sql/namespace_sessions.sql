-- Sessions of a namespace's processes; what they call themselves everybody may see.
--   $1 their names
select format('process %s of %s%s', pid, usename, coalesce(' at ' || client_addr::text, '')) as said
  from pg_stat_activity
 where datname = current_database() and application_name = any($1)
 order by 1
