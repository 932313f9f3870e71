-- Streams of one kind, in order, as many as go together.
--   $1 after, $2 before, $3 at most
select stream from stream where stream > $1 and stream < $2 order by stream limit $3
