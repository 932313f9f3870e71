-- Whether a command waits for a newer handler.
--   $1 its id
select exists (select from parked where command = $1) as waits
