"""The `parcours` command: answers to questions. `luigi` runs things."""

from __future__ import annotations

import argparse
import configparser
import io
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from workflows.answers import Answer
from workflows.commands import parser
from workflows.errors import ParcoursError, SettingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 for a failure, 2 for bad usage or input."""
    options = parser().parse_args(arguments)
    ask: Callable[[argparse.Namespace], Answer] = options.command
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal of ASCII only shows the escapes of what it cannot show, as Python does on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        answer = ask(options)
        if options.json:
            _print_json(answer.as_json())
        else:
            print("\n".join(answer.lines()))
        # Now, because whoever reads may be gone, which only the code below tells Python to bear.
        sys.stdout.flush()
        return answer.exit_code
    except (ParcoursError, configparser.Error) as error:
        if options.debug:
            traceback.print_exc()
        told = error if isinstance(error, ParcoursError) else SettingError.unreadable(" ".join(str(error).split()))
        print(told, file=sys.stderr)
        return told.exit_code
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain about it when it closes the stream.
        sys.stdout = None
        return 1
    except KeyboardInterrupt:
        return 130


def _print_json(value: Any) -> None:
    # The escapes of JSON, unlike those of a terminal, are read back as what they stand for.
    print(json.dumps(value, indent=1, ensure_ascii=not sys.stdout.encoding.lower().startswith("utf")))


if __name__ == "__main__":
    sys.exit(main())
