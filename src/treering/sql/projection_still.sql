-- Where a build stands; it does until the transaction ends.
--   $1 name, $2 build
select position from projection where name = $1 and build = $2 for update
