"""The instructions that calls begin with: versioned files, the same for every caller."""

from service.llm.prompts.files import PromptError, load

__all__ = ["PromptError", "load"]
