-- The oldest records whose commands are of known types, in revisions up to those known.
--   $1 types, $2 revisions, $3 at most
select topic, partition, "offset", at, command, parked.type, parked.revision, key, value, names, said
  from parked
  join unnest($1::text[], $2::int[]) as known (type, revision)
    on parked.type = known.type and parked.revision <= known.revision
 order by at, topic, partition, "offset"
 limit $3
