-- Keep a record whose command only a newer handler understands.
--   $1 topic, $2 partition, $3 offset, $4 append time, $5 command, $6 type, $7 revision, $8 key,
--   $9 value, $10 names of headers, $11 what they say
select park($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
