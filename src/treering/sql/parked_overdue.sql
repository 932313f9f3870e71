-- Records of one partition that have waited since before a moment, of types or revisions that are
-- not known, the oldest first. The one whose body fills the page is its last.
--   $1 topic, $2 partition, $3 the moment, $4 types, $5 revisions, $6 at most, $7 bytes of bodies
--   after which there is no other
select topic, partition, "offset", at, command, type, revision, key, value, names, said
  from (
    select parked.*, sum(coalesce(octet_length(value), 0)) over (
               order by at, "offset" rows between unbounded preceding and 1 preceding) as bytes_before
      from parked
     where topic = $1 and partition = $2 and at < $3
       and not exists (
           select from unnest($4::text[], $5::int[]) as known (type, revision)
            where known.type = parked.type and parked.revision <= known.revision)
     order by at, "offset"
     limit $6
  ) as page
 where coalesce(bytes_before, 0) < $7
 order by at, "offset"
