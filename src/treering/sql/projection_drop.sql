-- Forget builds of a read model; returns their tables, which nobody needs any more.
--   $1 name, $2 builds
delete from projection where name = $1 and build = any($2) returning tables
