-- Take away the keys that were added for some streams, which have changed since.
--   $1 streams
delete from unique_key using found_key as found
 where found.stream = any($1::text[])
   and unique_key.key = found.key and unique_key.stream = found.stream
