-- Forget builds of a read model, whose tables are gone.
--   $1 name, $2 builds
delete from projection where name = $1 and build = any($2)
