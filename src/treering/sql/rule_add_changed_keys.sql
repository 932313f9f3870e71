-- Add the keys that were found for some streams.
--   $1 streams
insert into unique_key (key, stream)
select key, stream from found_key where stream = any($1::text[])
on conflict do nothing
