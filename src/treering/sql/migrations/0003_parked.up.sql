-- Commands that only a newer release understands, as their records came. They wait here, and the
-- first handler that knows their type in their revision decides them.
create table parked (
    topic     text collate "C" not null,
    partition integer not null,
    "offset"  bigint not null,
    at        timestamptz not null,
    command   text collate "C" not null,
    type      text collate "C" not null,
    revision  integer not null,
    key       bytea,
    value     bytea,
    names     bytea[] not null,
    said      bytea[] not null,
    primary key (topic, partition, "offset", at)
);

comment on column parked.at is 'When Kafka took it: what the command will be decided with.';

create index parked_command on parked (command);

-- park: keep a record; one that is kept already stays as it is.
create function park(
    p_topic text, p_partition int, p_offset bigint, p_at timestamptz, p_command text, p_type text,
    p_revision int, p_key bytea, p_value bytea, p_names bytea[], p_said bytea[]
) returns void
    language sql
    security definer
    set search_path from current
as $$
    insert into parked (topic, partition, "offset", at, command, type, revision, key, value, names, said)
    values (p_topic, p_partition, p_offset, p_at, p_command, p_type, p_revision, p_key, p_value,
            p_names, p_said)
    on conflict do nothing
$$;

revoke execute on function park from public;

-- unpark: forget a record, whose command is settled now.
create function unpark(p_topic text, p_partition int, p_offset bigint, p_at timestamptz)
    returns void
    language sql
    security definer
    set search_path from current
as $$
    delete from parked
     where topic = p_topic and partition = p_partition and "offset" = p_offset and at = p_at
$$;

revoke execute on function unpark from public;
