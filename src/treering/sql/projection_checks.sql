-- What a table checks, without the names.
--   $1 the table
select pg_get_constraintdef(oid) as definition
  from pg_constraint
 where conrelid = to_regclass($1) and contype = 'c'
 order by 1
