-- Where builds stand.
--   $1 name, $2 builds
select build, position from projection where name = $1 and build = any($2)
