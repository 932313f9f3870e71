-- Take a lock until the transaction ends; waits for as long as a lock may be waited for.
--   $1 its name
select pg_advisory_xact_lock(hashtextextended($1, 0))
