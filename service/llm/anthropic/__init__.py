"""Anthropic's Messages API through its own SDK; OpenRouter and the simulated provider speak it too.

The SDK would retry by itself, open a span and send `traceparent` to the provider: all of that is off. Nothing of a
provider's words gets any further than here, for an error may quote what it was sent.
"""

from service.llm.anthropic.provider import AnthropicProvider

__all__ = ["AnthropicProvider"]
