-- Say that a build has caught up.
--   $1 name, $2 build
update projection set state = 'live', stopped_at = null, reason = null where name = $1 and build = $2
