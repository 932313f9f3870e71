-- Say how far builds are with what is not written yet, for those who wait.
--   $1 names, $2 builds, $3 positions
update projection set reached = said.position, noted_at = now()
  from unnest($1::text[], $2::int[], $3::bigint[]) as said (name, build, position)
 where projection.name = said.name and projection.build = said.build
