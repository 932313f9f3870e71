-- How far the store is, and the builds of some read models, of all if null, the newest first.
-- There is a row at least. What was folded from another store, as before a backup was restored,
-- is none of ours, whatever it was. A column that no projector has made yet reads as null.
--   $1 names
select head.position as head, name, build, version, projection.position, event, state, stopped_at,
       reason, tables, more ->> 'differs' as differs, more ->> 'hindered' as hindered,
       array(select jsonb_array_elements_text(nullif(more -> 'also', 'null'))) as also,
       coalesce((more ->> 'born')::integer, build) as born,
       is_ours, is_ours and (state = 'live' or more ->> 'taken_up_at' is not null) as serves,
       coalesce((more ->> 'started_from')::bigint, 0) as started_from,
       greatest(projection.position, (more ->> 'reached')::bigint) as reached,
       case when (more ->> 'noted_at')::timestamptz > now() - interval '15 seconds'
            then extract(epoch from now() - (more ->> 'started_at')::timestamptz)::float8
       end as seconds,
       exists (
           select from pg_class as view
             join pg_rewrite on pg_rewrite.ev_class = view.oid
             join pg_depend on pg_depend.classid = 'pg_rewrite'::regclass
                           and pg_depend.objid = pg_rewrite.oid
             join pg_class as shown on shown.oid = pg_depend.refobjid
            where view.relnamespace =
                  (select relnamespace from pg_class where oid = projection.tableoid)
              and view.relname = regexp_replace(tables[1], '_[^_]+_[^_]+$', '')
              and view.relkind = 'v' and shown.relname = tables[1] and shown.relkind = 'r'
       ) as is_shown
  from head
  left join projection on $1::text[] is null or name = any($1)
  left join lateral to_jsonb(projection) as more on true
  left join lateral (
      select projection.position = 0
          or exists (select from events
                      where events.position = projection.position
                        and events.id::text = projection.event) as is_ours
  ) as origin on true
 order by name, build desc
