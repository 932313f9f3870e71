-- Whether it can be noted of builds what this column holds.
--   $1 the column
select exists (
    select from pg_attribute
     where attrelid = to_regclass('projection') and attname = $1 and not attisdropped
)
