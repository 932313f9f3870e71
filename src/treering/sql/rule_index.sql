-- Make what was found, most of it, quick to look up and to replace.
create index on found_key (key);
create index on found_key (stream);
create index on found_reference (parent);
create index on found_reference (child);
analyze found_key, found_reference;
