-- A new build of a read model, at position 0.
--   $1 name, $2 version, $3 its tables' plain names
insert into projection (name, build, version, position, event, state, tables)
select $1, number, $2, 0, '', 'building',
       array(select format('%s_%s_%s', plain, left($2, 4), number) from unnest($3::text[]) as plain)
  from (select coalesce(max(build), 0) + 1 as number from projection where name = $1) as next
returning name, build, version, position, event, state, stopped_at, reason, tables
