"""The command line: one small file per verb; each imports its room only when it is used."""

import os
import sys
from collections.abc import Sequence

from grokscope.errors import GrokscopeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    **Arguments:**

    - `arguments`: the words that follow `grokscope`; by default, those of this process.
    """
    from grokscope.cli.arguments import parse

    try:
        asked = parse(sys.argv[1:] if arguments is None else arguments)
        if isinstance(asked, str):
            print(asked)
        else:
            asked.run()
        sys.stdout.flush()
    except GrokscopeError as error:
        print(f"grokscope: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("grokscope: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output is gone, as after `| head`; Python must not flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
