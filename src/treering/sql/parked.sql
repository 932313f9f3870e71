-- Records of one partition whose commands are of known types, in revisions up to those known, in the
-- order in which they came. The one whose body fills the page is its last.
--   $1 topic, $2 partition, $3 types, $4 revisions, $5 at most, $6 bytes of bodies after which there
--   is no other
select topic, partition, "offset", at, command, type, revision, key, value, names, said
  from (
    select parked.*, sum(coalesce(octet_length(value), 0)) over (
               order by "offset", at rows between unbounded preceding and 1 preceding) as bytes_before
      from parked
     where topic = $1 and partition = $2
       and exists (
           select from unnest($3::text[], $4::int[]) as known (type, revision)
            where known.type = parked.type and parked.revision <= known.revision)
     order by "offset", at
     limit $5
  ) as page
 where coalesce(bytes_before, 0) < $6
 order by "offset", at
