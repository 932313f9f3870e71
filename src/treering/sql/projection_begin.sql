-- A new build of a read model, at position 0. If it is the only one it serves from the beginning;
-- what others of its version were it is, too.
--   $1 name, $2 version, $3 its tables' plain names
insert into projection (name, build, version, position, event, state, tables, born, also,
                        taken_up_at)
select $1, number, $2, 0, '', 'building',
       array(select format('%s_%s_%s', plain, left($2, 4), number) from unnest($3::text[]) as plain),
       coalesce(earlier.born, earlier.build, number), earlier.also,
       case when not exists (select from projection where name = $1) then now() end
  from (select coalesce(max(build), 0) + 1 as number from projection where name = $1) as next
  left join lateral (
      select build, born, also
        from projection
       where name = $1 and version = $2
       order by build
       limit 1
  ) as earlier on true
returning build
