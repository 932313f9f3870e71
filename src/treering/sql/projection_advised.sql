-- The columns for which advice was followed: those of indexes that are called after their number.
--   $1 schema  $2 tables
select distinct attname::text as name
  from pg_index
  join pg_class as own on own.oid = indrelid
  join pg_class as index on index.oid = indexrelid
  join pg_attribute on attrelid = own.oid and attnum = indkey[0]
 where own.relnamespace = to_regnamespace($1)
   and own.relname = any($2)
   and index.relname = own.relname || '_a' || attnum
 order by name
