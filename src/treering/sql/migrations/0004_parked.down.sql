-- Look through all that waits again.
drop index parked_known;
