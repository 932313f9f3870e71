-- The partitions from which commands have waited since before a moment, of types or revisions that
-- are not known.
--   $1 the moment, $2 types, $3 revisions
select distinct topic, partition
  from parked
 where at < $1
   and not exists (
       select from unnest($2::text[], $3::int[]) as known (type, revision)
        where known.type = parked.type and parked.revision <= known.revision)
 order by topic, partition
