-- Take a lock of this session; waits for as long as a lock may be waited for.
--   $1 its name
select pg_advisory_lock(hashtextextended($1, 0))
