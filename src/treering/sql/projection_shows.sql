-- Whether a view shows a table.
--   $1 the view, $2 the table
select exists (
    select from pg_rewrite
      join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
     where ev_class = to_regclass($1) and refobjid = to_regclass($2)
)
