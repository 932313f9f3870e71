-- Where the streams of a kind stand, and the epoch of the store; there is a row at least.
--   $1 the kind
select head.epoch, stream.stream, stream.version
  from head
  left join stream on stream.stream >= $1::text || '/' and stream.stream < $1::text || '0'
