"""How many tokens a text will be, before anybody has counted them."""

import json
import math

from service.llm.model import Call

# Of English prose a token is four characters, by the providers' own rule of thumb; other scripts take more bytes, and
# more tokens.
BYTES_PER_TOKEN = 4
# A token is seldom longer; an answer much longer than was asked for has no end. Characters.
_LONGEST_TOKEN, _SLACK = 16, 4096
# Around each message and for each tool the provider adds some of its own.
_AROUND = 8


def estimate(text: str) -> int:
    """Estimate the tokens of a text, rounded up."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def estimate_input(call: Call) -> int:
    """Estimate the input tokens of a call: instructions, tools and messages."""
    tokens = estimate(call.prompt.text) + _AROUND
    for tool in call.tools:
        tokens += estimate(tool.name + tool.description + json.dumps(dict(tool.schema))) + _AROUND
    for message in call.messages:
        tokens += estimate(message.text) + _AROUND
        tokens += sum(estimate(json.dumps(dict(use.arguments))) + _AROUND for use in message.tool_uses)
        tokens += sum(estimate(result.content) + _AROUND for result in message.tool_results)
    return tokens


def reserve(call: Call) -> int:
    """Give the tokens that a call may take: its input by estimate, and the longest answer."""
    return estimate_input(call) + call.max_tokens


def longest_answer(max_tokens: int) -> int:
    """Give how many characters an answer may have before it is taken for one without an end."""
    return max_tokens * _LONGEST_TOKEN + _SLACK
