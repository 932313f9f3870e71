"""The kinds of streams that the kit has, one module each: pure, no I/O, no clock, no random."""
