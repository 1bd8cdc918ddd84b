"""Every reader of hostile text under chance: `python -m tests.fuzz`, `make fuzz`."""
