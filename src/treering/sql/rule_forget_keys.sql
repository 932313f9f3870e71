-- Forget which keys some streams would hold.
--   $1 streams
delete from found_key where stream = any($1::text[])
