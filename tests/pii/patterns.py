"""Random patterns, most of them inside the subset, and texts that they may match."""

import random

_ATOMS = [
    "a", "b", "B", "0", "1", "-", "_", " ", "é", "@", "ab", "[a-z]", "[^a-z]", "[0-9]", "[A-Za-z0-9_]", "[^\\n]",
    "[\\-a]", "[é-ü]", "[a-]", "\\.", "\\-", "\\x41", "\\n", "\\t", "\\v", "^", "\\b", "\\+", "[ks]", "[^k\\x00]",
]  # fmt: skip
_QUANTIFIERS = ["", "", "", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}"]
_CHARACTERS = "aabbB01-_ éü@.+Aks\n\t\v\rK\u017f\u212a\u00a0\u2028\u0661"


def random_pattern(random: random.Random, depth: int = 0) -> str:
    """Returns a pattern."""
    pieces = []
    for _ in range(random.randint(1, 3)):
        atom = random.choice(_ATOMS)
        if depth < 3 and random.random() < 0.3:
            alternatives = [random_pattern(random, depth + 1) for _ in range(random.randint(1, 3))]
            if random.random() < 0.2:
                alternatives.insert(random.randrange(len(alternatives) + 1), "")
            atom = f"(?:{'|'.join(alternatives)})"
        elif len(atom) == 2 and atom[0] != "\\":
            atom = f"(?:{atom})"
        pieces.append(atom + random.choice(_QUANTIFIERS))
    return "".join(pieces)


def random_text(random: random.Random) -> str:
    """Returns a text in which such a pattern may be found."""
    return "".join(random.choice(_CHARACTERS) for _ in range(random.randint(0, 14)))
