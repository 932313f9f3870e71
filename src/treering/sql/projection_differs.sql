-- Say how a build differs from what it is to replace; empty: it does not.
--   $1 name, $2 build, $3 how
update projection set differs = $3 where name = $1 and build = $2
