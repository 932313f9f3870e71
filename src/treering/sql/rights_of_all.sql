-- The statements that take from everybody, as far as we may, what a reader is not to do, and give it
-- to the users that there are besides.
--   $1 the reader
with others as (
    select string_agg(format('%I', rolname), ', ') as names
      from pg_roles
     where rolname <> $1 and rolcanlogin and not rolsuper
), open as (
    select 1 as place, format('temporary on database %I', datname) as what
      from pg_database
     where datname = current_database()
       and has_database_privilege('public', oid, 'temporary')
       and pg_has_role(datdba, 'usage')
    union all
    select 2, 'execute on function ' || string_agg(oid::regprocedure::text, ', ')
      from pg_proc
     where pronamespace = 'pg_catalog'::regnamespace
       and proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_truncate',
                       'lo_truncate64', 'lo_unlink', 'lowrite')
       and has_function_privilege('public', oid, 'execute')
       and pg_has_role(proowner, 'usage')
    having count(*) > 0
)
select said
  from open, others,
       lateral (values (1, format('revoke %s from public', what)),
                       (2, format('grant %s to %s', what, names))) as told (part, said)
 where said is not null and (part = 1 or names is not null)
 order by place, part
