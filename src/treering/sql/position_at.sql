-- The last position that was recorded by a moment, 0 if none was: positions have no gap and times
-- never run backwards along them, so that it takes a look at a few of them.
--   $1 the moment
with recursive search (low, high) as (
    select 0::bigint, position from head
    union all
    select case when recorded_at <= $1 then position else low end,
           case when recorded_at <= $1 then high else position - 1 end
      from search
      join events on position = (low + high + 1) / 2
     where low < high
)
select low from search where low = high
