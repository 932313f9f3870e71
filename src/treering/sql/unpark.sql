-- Forget a record.
--   $1 topic, $2 partition, $3 offset, $4 append time
select unpark($1, $2, $3, $4)
