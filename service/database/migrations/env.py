"""Run by Alembic; the connection comes from `service.database.migrate`, never from a file or a setting."""

from alembic import context

from service.database.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
