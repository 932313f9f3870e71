-- Say for as long as this session lives that something is needed; takes no rights.
--   $1 words
select pg_advisory_lock_shared(hashtextextended(word, 0)) from unnest($1::text[]) as said (word)
