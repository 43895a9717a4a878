"""Everything that a plan meets while it runs, for both engines: values, waits, drivers, state."""
