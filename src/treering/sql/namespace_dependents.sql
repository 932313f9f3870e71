-- What lies outside of some schemas and would be dropped with them: views, and foreign keys.
--   $1 the schemas
with recursive inside as (
    select oid from pg_namespace where nspname = any($1::text[])
), leaning (oid) as (
    select rule.ev_class
      from pg_depend as lean
      join pg_rewrite as rule on lean.classid = 'pg_rewrite'::regclass and lean.objid = rule.oid
      join pg_class as on_ on lean.refclassid = 'pg_class'::regclass and lean.refobjid = on_.oid
     where on_.relnamespace in (select oid from inside)
     union
    select rule.ev_class
      from leaning
      join pg_depend as lean on lean.refclassid = 'pg_class'::regclass and lean.refobjid = leaning.oid
      join pg_rewrite as rule on lean.classid = 'pg_rewrite'::regclass and lean.objid = rule.oid
)
select format('view %s', oid::regclass) as said
  from leaning join pg_class using (oid)
 where relnamespace not in (select oid from inside)
union
select format('foreign key %s of %s', conname, conrelid::regclass)
  from pg_constraint
  join pg_class as child on child.oid = conrelid
  join pg_class as parent on parent.oid = confrelid
 where contype = 'f' and parent.relnamespace in (select oid from inside)
   and child.relnamespace not in (select oid from inside)
 order by 1
