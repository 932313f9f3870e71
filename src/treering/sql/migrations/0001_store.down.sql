-- Everything the first migration made, and with it all that was recorded.
drop function keep_verdicts(interval);
drop function append;
drop function parts(text);
drop table head, events, stream, verdict, unique_key;
drop function refuse_change();
drop function ulid_floor(timestamptz);
