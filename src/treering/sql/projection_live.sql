-- Say that a build has its place; returns nothing if it is gone.
--   $1 name, $2 build
update projection
   set state = 'live', stopped_at = null, reason = null, differs = '', taken_up_at = now()
 where name = $1 and build = $2
returning build
