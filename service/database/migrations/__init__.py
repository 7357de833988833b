"""The schema's history: linear, run at start-up, never edited once released."""

# Known without importing Alembic, which costs 11 MiB: a database that is current needs none of it.
HEAD = "0003"
