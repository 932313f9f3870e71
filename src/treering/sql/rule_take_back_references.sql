-- Take away the references that were added for some streams, which have changed since.
--   $1 streams
delete from reference using found_reference as found
 where found.child = any($1::text[])
   and reference.parent = found.parent and reference.child = found.child
   and reference.field = found.field
