-- The streams that have changed since a position.
--   $1 position
select distinct stream from events where position > $1
