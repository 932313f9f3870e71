-- Have a build stand for another version, too.
--   $1 name, $2 build, $3 version
update projection set also = array_append(also, $3) where name = $1 and build = $2
