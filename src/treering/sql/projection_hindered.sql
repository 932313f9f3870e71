-- Say why the view does not show a build that it should, or, with null, that nothing is in its way.
--   $1 name, $2 build, $3 why
update projection set hindered = $3
 where name = $1 and build = $2 and hindered is distinct from $3
