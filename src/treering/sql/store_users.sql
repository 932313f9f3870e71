-- Who may read a store, or append to it, besides its owner.
--   $1 its schema
select pg_get_userbyid(said.grantee)::text as "user", 'tables' as what
  from pg_class, aclexplode(relacl) as said
 where relnamespace = to_regnamespace(quote_ident($1)) and relname = 'head'
   and said.privilege_type = 'SELECT' and said.grantee not in (0, relowner)
union
select pg_get_userbyid(said.grantee)::text, 'functions'
  from pg_proc, aclexplode(proacl) as said
 where pronamespace = to_regnamespace(quote_ident($1)) and proname = 'append'
   and said.grantee not in (0, proowner)
