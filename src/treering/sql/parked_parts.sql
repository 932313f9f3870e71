-- The partitions from which commands wait of known types, in revisions up to those known.
--   $1 types, $2 revisions
select distinct topic, partition
  from unnest($1::text[], $2::int[]) as known (type, revision)
  join parked on parked.type = known.type and parked.revision <= known.revision
 order by topic, partition
