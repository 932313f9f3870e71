-- Add the references that were found for the streams of some kinds; those that are there stay.
--   $1 kinds
insert into reference (parent, child, field)
select parent, child, field from found_reference
 where split_part(child, '/', 1) = any($1::text[])
 order by parent, child, field
on conflict do nothing
