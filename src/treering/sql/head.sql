-- Where the store stands.
select position, recorded_at, epoch, horizon from head
