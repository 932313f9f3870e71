-- Forget the commands that wait for a newer handler.
drop function unpark(text, int, bigint, timestamptz);
drop function park(text, int, bigint, timestamptz, text, text, int, bytea, bytea, bytea[], bytea[]);
drop table parked;
