-- The columns of a table, in order.
--   $1 the table
select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as is_needed,
       coalesce(attnum = any(indkey), false) as is_key
  from pg_attribute
  left join pg_index on indrelid = attrelid and indisprimary
 where attrelid = to_regclass($1) and attnum > 0 and not attisdropped
 order by attnum
