-- What newer releases note of a build besides; older ones go on beside it.
alter table projection
    add column if not exists born         integer,
    add column if not exists also         text[],
    add column if not exists differs      text collate "C",
    add column if not exists taken_up_at  timestamptz,
    add column if not exists started_at   timestamptz,
    add column if not exists started_from bigint,
    add column if not exists reached      bigint,
    add column if not exists hindered     text collate "C",
    add column if not exists noted_at     timestamptz
