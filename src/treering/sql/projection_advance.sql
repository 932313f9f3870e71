-- Move builds on, each from where it must stand, and wake those who wait; counts those moved.
-- One that was taken up meanwhile stays so; an older release notes no more than that it is live.
--   $1 names, $2 builds, $3 from, $4 to, $5 the events there, $6 states, $7 stopped at, $8 reasons,
--   $9 channel, $10 payload, $11 the channel that is told of rows, $12 its payload, told first
with moved as (
    update projection
       set position = said.position, event = said.event,
           state = case when projection.state = 'live' and said.state = 'building' then 'live'
                        else said.state end,
           taken_up_at = case when projection.state = 'live'
                              then coalesce(projection.taken_up_at, now())
                              else projection.taken_up_at end,
           stopped_at = said.stopped_at, reason = said.reason
      from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
                  $7::bigint[], $8::text[])
           as said (name, build, before, position, event, state, stopped_at, reason)
     where projection.name = said.name and projection.build = said.build
       and projection.position = said.before
    returning 1
)
select count(*) as moved, pg_notify($11, $12), pg_notify($9, $10) from moved
