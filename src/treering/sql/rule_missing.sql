-- References to streams that would not hold their names.
--   $1 look at those from and to these streams alone; null: at all, $2 kinds that were folded
select child, field, parent, count(*) over () as broken
  from found_reference
 where ($1::text[] is null or child = any($1) or parent = any($1))
   and not exists (select from found_key where found_key.key = parent)
   and not exists (
    select from unique_key
     where unique_key.key = parent and split_part(parent, '/', 1) <> all($2::text[]))
 order by child, field, parent
 limit 20
