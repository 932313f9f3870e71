-- Whether positions are gapless up to the head: counts what lies above a position.
--   $1 above
select head.position as head,
       coalesce((select max(position) from events), 0) as newest,
       (select count(*) from events where position > $1) as counted
  from head
