-- What others than its owner may do with a view, as the statements that allow it.
--   $1 the view
select format('grant %s on %s to %s%s', privilege_type, oid::regclass,
              case when grantee = 0 then 'public' else grantee::regrole::text end,
              case when is_grantable then ' with grant option' else '' end) as grant
  from pg_class
 cross join lateral aclexplode(relacl)
 where oid = to_regclass($1) and grantee <> relowner
