-- Add the keys that were found for the streams of some kinds; those that are there already stay.
--   $1 kinds
insert into unique_key (key, stream)
select key, stream from found_key where split_part(stream, '/', 1) = any($1::text[]) order by key
on conflict do nothing
