"""scripts/stack-binaries [RECIPE ...] | --where PROGRAM.

Builds what is not there yet, one after the other, and says where it is; or only says where a program is.
"""

import signal
import sys

from stack.building import ENDINGS, build
from stack.recipes import RECIPES, Refused, where

_PROGRAMS = [program for recipe in RECIPES.values() for program in recipe.programs]


def main(arguments: list[str]) -> None:
    """Does what the arguments say."""
    match arguments:
        case ["--where", program] if program in _PROGRAMS:
            print(where(program))
        case ["--where", *_]:
            raise Refused(f"--where is asked about one of {', '.join(_PROGRAMS)}")
        case names if unknown := [name for name in names if name not in RECIPES]:
            raise Refused(f"{unknown[0]} is not one of {', '.join(RECIPES)}")
        case names:
            chosen = [name for name in RECIPES if name in (names or RECIPES)]
            for name in chosen:
                build(name)
            for program in (program for name in chosen for program in RECIPES[name].programs):
                print(f"{program:10} {where(program)}")


if __name__ == "__main__":
    for number in ENDINGS:  # whichever ends it, it ends Go and clears up
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup is obeyed
            signal.signal(number, signal.default_int_handler)
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("stack-binaries: interrupted")
    except (Refused, OSError, RuntimeError) as error:
        sys.exit(f"stack-binaries: {error}")
