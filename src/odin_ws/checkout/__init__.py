"""Care of this checkout, not of the running platform: archive, locks, wheel, code checks, task list."""
