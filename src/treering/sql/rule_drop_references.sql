-- Take away the references of some kinds that their streams do not hold by the new rules.
--   $1 kinds
delete from reference
 where split_part(child, '/', 1) = any($1::text[])
   and not exists (
    select from found_reference as found
     where found.parent = reference.parent and found.child = reference.child
       and found.field = reference.field)
