-- The columns of a table, in order; the order of their text is part of the type.
--   $1 the table
select attname as name, concat(format_type(atttypid, atttypmod), ' collate ' || quote_ident(collname)) as type,
       attnotnull as is_needed,
       coalesce(attnum = any(indkey), false) as is_key
  from pg_attribute
  left join pg_collation on pg_collation.oid = attcollation
  left join pg_index on indrelid = attrelid and indisprimary
 where attrelid = to_regclass($1) and attnum > 0 and not attisdropped
 order by attnum
