-- Take away the keys of some kinds that their streams do not hold by the new rules.
--   $1 kinds
delete from unique_key using unnest($1::text[]) as asked (kind)
 where unique_key.key >= asked.kind || '.' and unique_key.key < asked.kind || '0'
   and not exists (
    select from found_key
     where found_key.key = unique_key.key and found_key.stream = unique_key.stream)
