-- The oldest records that have waited since before a moment.
--   $1 the moment, $2 at most, $3 bytes of bodies after which there is no other
select topic, partition, "offset", at, command, type, revision, key, value, names, said
  from (
    select parked.*, sum(coalesce(octet_length(value), 0)) over (
               order by at, topic, partition, "offset"
               rows between unbounded preceding and 1 preceding) as bytes_before
      from parked
     where at < $1
     order by at, topic, partition, "offset"
     limit $2
  ) as page
 where coalesce(bytes_before, 0) < $3
 order by at, topic, partition, "offset"
