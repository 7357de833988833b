"""What the service knows about jobs, profiles and applications; no web framework in here."""
