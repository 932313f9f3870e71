-- Say that the store's events are no longer a continuation of those sent before; answers the new epoch.
update head set epoch = gen_random_uuid()::text returning epoch
