-- What a handler knows of that which waits is found without looking through all that waits.
create index parked_known on parked (type, revision, topic, partition);
