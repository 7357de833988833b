"""Statements without literals: what is asked is told, and not for whom (semantic conventions: `db.query.text`)."""

import re

STATEMENT_KEYS = frozenset({"db.query.text", "db.statement"})
# A backslash escapes a quote in one dialect and is a letter in another: nobody knows where such a text ends.
_TOKENS = re.compile(
    r"""
    (?P<literal> [A-Za-z]?'(?:[^'\\]|'')*(?:'|\\.*|\Z)    # also one that was cut off; behind a \ all goes
      | \$(?P<tag>[A-Za-z_]*)\$.*?(?:\$(?P=tag)\$|\Z)      # PostgreSQL's dollar quotes
      | (?<![\w.$:@%?"])[0-9][0-9A-Za-z._]*(?:(?<=[eE])[+-][0-9]+)? )
    | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<name> "[A-Za-z_][A-Za-z0-9_$.]*" )
    | (?P<quoted> "(?:[^"]|"")*(?:"|\Z) )                  # no identifier: a text, by the manners of SQLite and MySQL
    """,
    re.VERBOSE | re.DOTALL,
)


def without_literals(statement: str) -> str:
    """Give a statement with `?` in the place of each literal, and without comments.

    Args:
        statement: SQL; parameters' own marks (`?`, `$1`, `:name`, `%s`) and quoted names stay.
    """
    return _TOKENS.sub(_shown, statement)


def _shown(token: re.Match[str]) -> str:
    if token["name"] is not None:
        return token["name"]
    return "" if token["comment"] is not None else "?"
