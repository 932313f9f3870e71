-- Forget which references some streams would hold.
--   $1 streams
delete from found_reference where child = any($1::text[])
