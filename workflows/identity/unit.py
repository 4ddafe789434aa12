"""One statement of a module's top level: the names it binds, uses, runs and changes."""

from __future__ import annotations

from dataclasses import dataclass, field

# A reference is a dotted chain of names: `table.update`, from a name of the module's top level, or with an import in front.
EVERYTHING = "*"
UNKNOWN = "?"
"""What is called, where it is none of these."""
PLAIN = "="
"""What a value is made of, where it is a text, a number or a container."""
CALLED = "()"
"""What a reference ends with that stands for what a call gives."""


@dataclass
class Unit:
    """One statement of a module's top level."""

    names: list[str] = field(default_factory=list)
    """What it binds."""
    digest: str = ""
    documented: str = ""
    """The digest with docstrings."""
    uses: list[str] = field(default_factory=list)
    """Every reference in it, wherever it stands, but for the following."""
    uses_required: list[str] = field(default_factory=list)
    """The references in a class's `requires`, whose tasks count as inputs and not as code."""
    now: list[str] = field(default_factory=list)
    """The references that are evaluated while the module is imported."""
    loads: list[str] = field(default_factory=list)
    """What it imports."""
    loads_inside: list[str] = field(default_factory=list)
    """What its functions import when they are called."""
    runs: list[str] = field(default_factory=list)
    """What is called while the module is imported: functions, decorators, bases."""
    registers: list[str] = field(default_factory=list)
    """The decorators that register what they decorate."""
    decorates: list[str] = field(default_factory=list)
    """The objects whose methods are its decorators."""
    aliases: list[str] = field(default_factory=list)
    """The objects that what it binds is, or holds."""
    passes: list[list[str]] = field(default_factory=list)
    """Calls while the module is imported: what is called, and the names that it is given."""
    gives: list[str] = field(default_factory=list)
    """What its function returns: names, what calls gave; UNKNOWN where it may be anything that it uses."""
    is_iterator: bool = False
    """Whether it binds something that is used up by reading it."""
    keeps_state: bool = False
    """Whether it binds something that a call may change: what another call gave, a function with a list as default."""
    made_by: list[str] = field(default_factory=list)
    """What is called for what it binds."""
    kinds: list[str] = field(default_factory=list)
    """What the values that it binds are made of: names, what calls gave, PLAIN, UNKNOWN; of a class its bases and attributes."""
    is_fixed: bool = False
    """Whether it binds a value that cannot be changed, such as a number."""
    changes_locals: bool = False
    """Whether its functions change what they are given."""
    changes_self: bool = False
    """Whether the methods of its class may change their object after it was made."""
    bare: list[str] = field(default_factory=list)
    """What is called while the module is imported and has its result thrown away, so for what it does elsewhere."""
    changes: list[str] = field(default_factory=list)
    """What is changed in place while the module is imported."""
    changes_inside: list[str] = field(default_factory=list)
    """What its functions change when they are called."""
    bare_inside: list[str] = field(default_factory=list)
    """What its functions call for what it does elsewhere."""
    files: list[str] = field(default_factory=list)
    """Texts that may name a file."""
    undecided: str = ""
    """What makes its reach undecidable, if anything does."""
    undecided_now: bool = False
    """Whether that happens while the module is imported."""
    reads_docs: bool = False
    asks_inputs: bool = False
    """Whether code beside `requires` asks for the required tasks."""
    is_definition: bool = False
    """Whether it is a function or a class."""
    is_class: bool = False
    is_generator: bool = False
    is_decorated: bool = False
    is_compound: bool = False
    """Whether it holds other statements: a condition, a loop."""
    targets: dict[str, list[str]] = field(default_factory=dict)
    """The names that it binds by import, each with what they stand for."""
