-- Whether there is a store, and one that keeps rules.
select to_regclass('head') is not null as store, to_regclass('rule') is not null as rules
