-- Which schemas a namespace has, whether the first is a store, whether we may drop them, and who
-- besides their owner may use them.
--   $1 the store's schema, $2 the read models' schema
select array(select nspname::text from pg_namespace where nspname in ($1, $2) order by 1) as schemas,
       array(select nspname::text from pg_namespace
              where nspname in ($1, $2) and not pg_has_role(nspowner, 'usage')
              order by 1) as foreign_schemas,
       to_regclass(format('%I.alembic_version', $1)) is not null
           and to_regclass(format('%I.head', $1)) is not null as is_store,
       exists (select from pg_depend
                where refclassid = 'pg_namespace'::regclass
                  and refobjid = to_regnamespace(quote_ident($1))
                  and classid <> 'pg_default_acl'::regclass
                  and objid is distinct from to_regclass(format('%I.alembic_version', $1))
       ) as holds_something,
       exists (select from pg_depend
                where refclassid = 'pg_namespace'::regclass
                  and refobjid = to_regnamespace(quote_ident($2))
                  and classid <> 'pg_default_acl'::regclass
       ) and to_regclass(format('%I.projection', $2)) is null as shows_something,
       array(select relname::text from pg_class
              where relnamespace = to_regnamespace(quote_ident($2)) and relkind = 'v'
              order by 1) as read_models,
       array(select distinct pg_get_userbyid(said.grantee)::text
               from pg_namespace, aclexplode(nspacl) as said
              where nspname in ($1, $2) and said.grantee not in (0, nspowner)
              order by 1) as roles,
       current_user::text as me
