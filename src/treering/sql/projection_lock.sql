-- Take the locks that are free; returns their names.
--   $1 names
select name
  from unnest($1::text[]) as said (name)
 where pg_try_advisory_lock(hashtextextended(name, 0))
