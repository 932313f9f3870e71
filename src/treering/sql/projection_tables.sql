-- The tables of builds of a read model.
--   $1 name, $2 builds
select build, tables from projection where name = $1 and build = any($2)
