-- The builds of read models: where each stands, and what stopped it. Made by whoever folds first.
create table if not exists projection (
    name       text collate "C" not null,
    build      integer not null,
    version    text collate "C" not null,
    position   bigint not null,
    event      text collate "C" not null,
    state      text collate "C" not null check (state in ('building', 'live', 'stopped')),
    stopped_at bigint,
    reason     text collate "C",
    tables     text[] not null,
    primary key (name, build)
) with (fillfactor = 50)
