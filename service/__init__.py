"""The instrumented reference service: an AI-backed job-discovery API."""

__version__ = "0.1.0"
