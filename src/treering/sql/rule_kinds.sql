-- The kinds whose streams hold keys; of use where no rules are stored yet.
select distinct split_part(stream, '/', 1) as kind from unique_key
