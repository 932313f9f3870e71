-- Whether builds can be noted as this release does it.
select exists (
    select from pg_attribute where attrelid = to_regclass('projection') and attname = 'noted_at'
)
