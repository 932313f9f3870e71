-- Forget records.
--   $1 topics, $2 partitions, $3 offsets, $4 append times
select unpark(topic, partition, "offset", at)
  from unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[])
       as settled (topic, partition, "offset", at)
