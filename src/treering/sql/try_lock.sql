-- Take a lock of this session, if nobody has it: never waits, so that no old snapshot stays open.
--   $1 its name
select pg_try_advisory_lock(hashtextextended($1, 0))
