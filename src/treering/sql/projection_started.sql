-- Say that somebody begins to bring builds to the head.
--   $1 names, $2 builds
update projection
   set started_at = now(), started_from = position, reached = position, noted_at = now()
  from unnest($1::text[], $2::int[]) as said (name, build)
 where projection.name = said.name and projection.build = said.build
