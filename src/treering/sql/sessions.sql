-- How many sessions of some names are open in this database.
--   $1 names
select count(*) from pg_stat_activity
 where datname = current_database() and application_name = any($1::text[])
