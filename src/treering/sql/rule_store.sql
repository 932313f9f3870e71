-- Store rules in place of others, and the digest that every append compares with its own.
--   $1 new, $2 gone, $3 digest of all
with added as (
    insert into rule (rule) select unnest($1::text[])
), removed as (
    delete from rule where rule = any($2::text[])
)
update head set rules = $3
