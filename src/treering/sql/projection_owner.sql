-- Who owns the read models, where this user is another one who may act for them.
select quote_ident(rolname) as owner
  from pg_class
  join pg_roles on pg_roles.oid = relowner
 where pg_class.oid = to_regclass('projection') and rolname <> current_user
   and pg_has_role(rolname, 'member')
