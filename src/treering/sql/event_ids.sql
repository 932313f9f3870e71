-- The ids of the events at some positions.
--   $1 positions
select position, id::text as id from events where position = any($1::bigint[])
