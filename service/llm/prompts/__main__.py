"""`python -m service.llm.prompts`: writes down the digests of new versions of the prompts."""

import sys

from service.llm.prompts.digests import record
from service.llm.prompts.files import PromptError


def main() -> int:
    """Write them down, and give the exit status: 0 done, 1 a version's text has changed."""
    try:
        record()
    except PromptError as refusal:
        sys.stderr.write(f"service.llm.prompts: {refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
