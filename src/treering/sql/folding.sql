-- The collation that knows small letters beyond ASCII; the database's own may not.
-- PostgreSQL 17 and later have the first; before that there are ICU's or the system's.
select collname
  from unnest(array['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'C']) with ordinality
       as known (name, place)
  join pg_collation on collname = name and collencoding in (-1, pg_char_to_encoding('UTF8'))
 order by place
 limit 1
