"""Cases of code: what is made while modules are imported, and what is done to it, or only with it, afterwards."""

from __future__ import annotations

from harness import Case

REGISTRY = (
    "class Registry:\n    def __init__(self):\n        self.known = []\n    def enlist(self, value):\n"
    "        self.known.append(value)\n        return value\n\n"
)

CASES = [
    Case(
        "path by which other paths are made",
        "from pathlib import Path\n\nHERE = Path('/a')\nOTHER = HERE.with_suffix('.b')\n",
        returns="str(HERE)",
        matters=("Path('/a')", "Path('/c')"),
        harmless=("'.b'", "'.d'"),
    ),
    Case(
        "frame of which other tables are made",
        "BASE = pd.DataFrame({'a': [1]})\nOTHER = BASE.assign(b=2).set_index('a')\n",
        returns="len(BASE.columns)",
        matters=("{'a': [1]}", "{'a': [1], 'c': [1]}"),
        harmless=("b=2", "b=3"),
    ),
    Case(
        "frame that is changed in place by a call whose result is kept",
        "BASE = pd.DataFrame({'a': [1], 'b': [2], 'c': [3]})\nNOTHING = BASE.drop(columns='a', inplace=True)\n",
        returns="list(BASE.columns)",
        matters=("columns='a'", "columns='b'"),
        harmless=("columns='a'", 'columns="a"'),
    ),
    Case(
        "dict that is given to a function by another",
        "import functools\n\ndef put(found, name):\n    found[name] = 2\n    return found\n\nLIMITS = {}\nSAME = functools.reduce(put, ['a'], LIMITS)\n\nUNUSED = 1\n",
        returns="LIMITS",
        matters=("= 2", "= 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "array that functions of other packages are given",
        "import numpy as np\n\nEDGES = np.array([1, 2])\nSUM = np.dot(EDGES, EDGES) + 5\n",
        returns="EDGES.tolist()",
        matters=("[1, 2]", "[1, 3]"),
        harmless=("+ 5", "+ 6"),
    ),
    Case(
        "dataclass whose objects are made and asked elsewhere too",
        "import dataclasses\n\n@dataclasses.dataclass\nclass Spec:\n    x: int\n    @classmethod\n    def make(cls, x):\n        return cls(x)\n"
        "    def times(self, by):\n        return Spec(self.x * by)\n\nFIRST = Spec.make(1)\nOTHER = FIRST.times(2)\n",
        returns="FIRST.x",
        matters=("make(1)", "make(3)"),
        harmless=("times(2)", "times(4)"),
    ),
    Case(
        "class attribute set by a class method",
        "class Scale:\n    @classmethod\n    def configure(cls, factor):\n        cls.factor = factor\n        return cls\n\nSAME = Scale.configure(2)\n\nUNUSED = 1\n",
        returns="Scale.factor",
        matters=("configure(2)", "configure(3)"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "object with methods that only read it",
        "class Loader:\n    def __init__(self, path):\n        self.path = path\n    def below(self, name):\n        return self.path + name\n\n"
        "LOADER = Loader('a')\nOTHER = LOADER.below('b')\nDATA = Loader('d').below('e')\n",
        returns="LOADER.below('c')",
        matters=("Loader('a')", "Loader('f')"),
        harmless=[("'b'", "'g'"), ("'d'", "'h'")],
    ),
    Case(
        "object with a method that changes it",
        REGISTRY + "REGISTRY = Registry()\nOTHERS = Registry()\nFIRST = REGISTRY.enlist(2)\nOTHER = OTHERS.enlist(7)\n",
        returns="REGISTRY.known",
        matters=("enlist(2)", "enlist(3)"),
        harmless=("enlist(7)", "enlist(8)"),
    ),
    Case(
        "object in a dict with a method that changes it",
        REGISTRY + "KNOWN = {'a': Registry()}\nFIRST = KNOWN['a'].enlist(2)\n\nUNUSED = 1\n",
        returns="KNOWN['a'].known",
        matters=("enlist(2)", "enlist(3)"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "list whose method another function is given",
        "FOUND = []\nNONE = list(map(FOUND.append, [2]))\n\nUNUSED = 1\n",
        returns="FOUND",
        matters=("[2]", "[3]"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "object changed by an operator",
        "class Steps:\n    def __init__(self):\n        self.known = []\n    def __rshift__(self, value):\n        self.known.append(value)\n        return self\n\n"
        "STEPS = Steps()\nSTEPS >> 2\n\nUNUSED = 1\n",
        returns="STEPS.known",
        matters=(">> 2", ">> 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "object that another one gives",
        REGISTRY + "class Holder:\n    def __init__(self):\n        self.registry = Registry()\n    def give(self):\n        return self.registry\n\n"
        "REGISTRY = Holder().give()\nFIRST = REGISTRY.enlist(2)\n\nUNUSED = 1\n",
        returns="REGISTRY.known",
        matters=("enlist(2)", "enlist(3)"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "object changed by being called",
        "class Counter:\n    def __init__(self):\n        self.n = 0\n    def __call__(self, by):\n        self.n += by\n        return self.n\n\n"
        "COUNT = Counter()\nFIRST = COUNT(2)\n\nUNUSED = 1\n",
        returns="COUNT.n",
        matters=("COUNT(2)", "COUNT(3)"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "method known by another name",
        REGISTRY + "REGISTRY = Registry()\nenlist = REGISTRY.enlist\nFIRST = enlist(2)\n\nUNUSED = 1\n",
        returns="REGISTRY.known",
        matters=("enlist(2)", "enlist(3)"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "list that an object was given",
        "class Holder:\n    def __init__(self, held):\n        self.held = held\n\nNAMES = []\nHOLDER = Holder(NAMES)\nHOLDER.held.append(2)\n\nUNUSED = 1\n",
        returns="NAMES",
        matters=("append(2)", "append(3)"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "dict that a function gives",
        "LIMITS = {'a': 1}\n\ndef limits():\n    return LIMITS\n\nlimits()['a'] = 5\n\ndef names():\n    return ['a']\n\nnames().append('b')\n",
        returns="(LIMITS['a'], names())",
        matters=("= 5", "= 6"),
        harmless=("append('b')", "append('c')"),
    ),
    Case(
        "generator made anew by each call",
        "def numbers():\n    yield 2\n\nFIRST = next(numbers()) + 7\n",
        returns="list(numbers())",
        matters=("yield 2", "yield 3"),
        harmless=("+ 7", "+ 8"),
    ),
    Case(
        "generator of the project's own that is used up",
        "def numbers():\n    yield from range(5)\n\nLEFT = numbers()\nFIRST = list(LEFT)[:2]\n\nUNUSED = 1\n",
        returns="list(LEFT)",
        matters=("FIRST = list(LEFT)[:2]\n", "FIRST = 1\n"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "function that fills a dict of its own",
        "def inverted(given):\n    found = {}\n    for name, value in given.items():\n        found[value] = name\n    return found\n\n"
        "NAMES = {'a': 1}\nOTHER = inverted(NAMES) or 7\n",
        returns="NAMES['a']",
        matters=("{'a': 1}", "{'a': 2}"),
        harmless=("or 7", "or 8"),
    ),
    Case(
        "function that sets an attribute of what it is given",
        "class Scale:\n    pass\n\ndef fill(scale):\n    scale.factor = 2\n    return scale\n\nSCALE = Scale()\nSAME = fill(SCALE)\n\nUNUSED = 1\n",
        returns="SCALE.factor",
        matters=("factor = 2", "factor = 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "function that changes what a list holds that it is given",
        "def fill(tables):\n    for table in tables:\n        table['a'] = 2\n    return 1\n\nLIMITS = {}\nDONE = fill([LIMITS])\n\nUNUSED = 1\n",
        returns="LIMITS",
        matters=("['a'] = 2", "['a'] = 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "decorator that writes to a log",
        "import functools\nimport logging\n\nLOG = logging.getLogger('acme')\n\ndef timed(function):\n    LOG.debug('decorated')\n"
        "    @functools.wraps(function)\n    def called(*given):\n        LOG.info('called')\n        return function(*given)\n    return called\n\n"
        "@timed\ndef scaled(x):\n    return x * 2\n\n@timed\ndef other(x):\n    return x * 7\n",
        returns="scaled(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 7", "x * 8"),
    ),
    Case(
        "subclasses that a base class of another package lists",
        "from sqlalchemy import Column, Integer\nfrom sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    pass\n\n"
        "class Flights(Base):\n    __tablename__ = 'flights'\n    id = Column(Integer, primary_key=True)\n\nUNUSED = 1\n",
        returns="list(Base.metadata.tables)",
        matters=("'flights'", "'planes'"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "table that registers itself",
        "from sqlalchemy import Column, Integer, MetaData, Table\n\nMETADATA = MetaData()\nFLIGHTS = Table('flights', METADATA, Column('id', Integer))\n\nUNUSED = 1\n",
        returns="list(METADATA.tables)",
        matters=("'flights'", "'planes'"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "part of an object that was made of it",
        "import argparse\n\nPARSER = argparse.ArgumentParser()\nGROUP = PARSER.add_argument_group('group')\nGROUP.add_argument('--x', default=2)\n\nUNUSED = 1\n",
        returns="PARSER.parse_args([]).x",
        matters=("default=2", "default=3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "module that a star import brings too",
        "from tools import *\nimport enum\n\nclass Kind(enum.Enum):\n    A = 2\n",
        {"tools.py": "import enum\n\nUNUSED = 1\n"},
        returns="Kind.A.value",
        matters=("A = 2", "A = 3"),
        harmless=("from tools import *\n", ""),
    ),
]  # fmt: skip
