-- Keys that several streams would hold, how many those are, and the first of them.
--   $1 look at the keys of these streams alone; null: at all
select key, count(*) as count, (array_agg(stream order by stream))[:3] as streams,
       count(*) over () as broken
  from found_key
 where $1::text[] is null
    or key in (select mine.key from found_key as mine where mine.stream = any($1))
 group by key
having count(*) > 1
 order by key
 limit 20
