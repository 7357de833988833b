"""Calls of large language models: providers, a router over them, what they may cost, and what they may say."""
