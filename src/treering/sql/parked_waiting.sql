-- How many records wait for a newer handler, and since when, by type and revision.
select type, revision, count(*) as waiting, min(at) as oldest
  from parked
 group by type, revision
 order by type, revision
