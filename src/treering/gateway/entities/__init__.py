"""What every collection answers, the same for each kind of entity."""
