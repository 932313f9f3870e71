-- What older releases have noted served, as they have no word for what has stopped on its way.
update projection set taken_up_at = now() where state <> 'building' and taken_up_at is null
