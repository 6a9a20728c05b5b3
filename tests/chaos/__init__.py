"""Everything is broken while people write, and nothing may be lost: `make chaos`, `docs/reliability.md`."""
