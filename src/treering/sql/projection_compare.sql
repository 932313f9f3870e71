-- How two tables differ: the number of such rows, and some of them with the columns that do.
-- Names and conditions of the tables at hand are put in by whoever compares.
select array[{keys}] as keys,
       array_remove(array[{differing}]::text[], null) as columns,
       old.{first} is null as is_new,
       new.{first} is null as is_gone,
       count(*) over () as number
  from {old} as old
  full join {new} as new using ({using})
 where old.{first} is null or new.{first} is null or {any}
 order by {order}
 limit {most}
