-- Up to which position a build is folded, as this database has it.
--   $1 name  $2 build
select position from projection where name = $1 and build = $2
