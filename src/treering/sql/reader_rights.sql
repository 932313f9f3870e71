-- What a user can do that somebody who only reads should not, in words.
--   $1 the user
select 'make temporary tables'
 where has_database_privilege($1, current_database(), 'temporary')
union all
select 'make large objects'
 where has_function_privilege($1, 'pg_catalog.lo_create(oid)', 'execute')
union all
select 'become ' || rolname
  from pg_roles
 where rolname <> $1 and pg_has_role($1, oid, 'member')
 order by 1
