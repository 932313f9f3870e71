-- Add the references that were found for some streams.
--   $1 streams
insert into reference (parent, child, field)
select parent, child, field from found_reference where child = any($1::text[])
on conflict do nothing
