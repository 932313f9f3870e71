-- The verdicts of some commands.
--   $1 ids, $2 tenant
select verdict.*
  from unnest($1::text[]) as asked (id)
  join verdict on verdict.id = asked.id and verdict.tenant = $2
