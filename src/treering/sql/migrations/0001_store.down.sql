-- Everything the first migration made, and with it all that was recorded.
drop function drop_verdicts, move_horizon, make_verdict_days, alone_with_verdicts, old_verdict_days;
drop function append;
drop function parts(text);
drop table head, events, stream, verdict, unique_key;
drop function refuse_change();
drop function ulid_floor(timestamptz);
