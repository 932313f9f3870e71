-- What the indexes of a table are, without their names.
--   $1 the table
select indisunique, substring(pg_get_indexdef(indexrelid) from ' USING .*') as definition
  from pg_index
 where indrelid = to_regclass($1)
 order by 1, 2
