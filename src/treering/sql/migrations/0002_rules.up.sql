-- References, and which rules the store keeps: those that its keys and references were made by.

create table reference (
    parent text collate "C" not null,
    child  text collate "C" not null,
    field  text collate "C" not null,
    primary key (parent, child, field)
);

comment on table reference is 'Who refers to whom: a stream that is there, and one that names it.';

create table rule (
    rule  text collate "C" primary key,
    since timestamptz not null default now()
);

comment on table rule is 'The rules that keys and references follow; db upgrade brings them in line.';

alter table head add column rules text collate "C" not null default '';

comment on column head.rules is 'A digest of the rules: a process that goes by others appends nothing.';

drop function append;
