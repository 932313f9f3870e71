-- How many records wait for a newer handler, by type and revision.
select type, revision, count(*) as waiting from parked group by type, revision order by type, revision
