"""A provider that costs nothing: a server of its own process that speaks Anthropic's Messages API.

What it says of a request (errors, usage, prompt caching, streaming) is what the real one says, by
https://platform.claude.com/docs/en/api/messages at API version 2026-10-21; what it writes is made up, the same for
the same request and seed. It fails on demand, in the ways of `faults`. `python -m service.llm.simulated` starts it.
"""
