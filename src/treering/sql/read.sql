-- Events after a position, in the order of positions. The one whose body fills the page is its
-- last, so that there is always one, however large. Bodies that are left out are not fetched.
--   $1 after, $2 at most, $3 bytes of bodies after which there is no other
select position, stream, version, id::text as id, type, body, time, recorded_at, tenant, actor,
       correlation, causation, traceparent
  from (
    select *, sum(octet_length(body)) over (
               order by position rows between unbounded preceding and 1 preceding) as bytes_before
      from events
     where position > $1
     order by position
     limit $2
  ) as page
 where coalesce(bytes_before, 0) < $3
 order by position
