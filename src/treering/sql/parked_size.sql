-- How many records wait for a newer handler, and how many bytes their bodies have.
select count(*) as records, coalesce(sum(octet_length(value)), 0)::bigint as bytes from parked
