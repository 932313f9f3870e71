-- How large a table is, and the columns that its usable ordered indexes begin with.
--   $1 its name
select pg_relation_size(asked.oid) as bytes,
       array(select distinct attname::text
               from pg_index
               join pg_class as index on index.oid = indexrelid
               join pg_am on pg_am.oid = index.relam and amname = 'btree'
               join pg_attribute on attrelid = indrelid and attnum = indkey[0]
              where indrelid = asked.oid and indisvalid and indpred is null) as columns
  from pg_class as asked
 where asked.oid = to_regclass($1)
