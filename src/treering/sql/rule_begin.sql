-- What streams would hold by rules that are to be stored; two tables for this session alone.
create temporary table found_key (
    key    text collate "C" not null,
    stream text collate "C" not null
);
create temporary table found_reference (
    parent text collate "C" not null,
    child  text collate "C" not null,
    field  text collate "C" not null
);
