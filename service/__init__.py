"""The instrumented service: an AI-backed job-discovery API."""
