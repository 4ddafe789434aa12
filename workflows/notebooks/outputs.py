"""The outputs of a cell, without what the same run would show differently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Where an object without a spelling of its own lies in memory: <Axes at 0x7f1c2a80>, also escaped for HTML.
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-fA-F]{6,16}(?=>|&gt;)")
_ANYWHERE = "0x…"


def settled(outputs: Sequence[Any]) -> list[Any]:
    """Outputs with addresses in memory left out, and with what was printed in one go in one piece."""
    found: list[Any] = []
    for output in outputs:
        if output.output_type == "stream":
            if found and found[-1].output_type == "stream" and found[-1].name == output.name:
                # The kernel sends what waits five times a second: the pieces are those of the clock.
                found[-1].text += output.text
                continue
        elif "data" in output:
            output.data.update({kind: _without_addresses(value) for kind, value in output.data.items()})
        found.append(output)
    for output in found:
        if output.output_type == "stream":
            output.text = _without_addresses(output.text)
    return found


def _without_addresses(value: Any) -> Any:
    return _ADDRESS.sub(_ANYWHERE, value) if isinstance(value, str) else value
