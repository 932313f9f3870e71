-- Take a lock until the transaction ends, if it is free.
--   $1 its name
select pg_try_advisory_xact_lock(hashtextextended($1, 0))
