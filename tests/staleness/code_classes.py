"""Cases of code: classes, and what Python does when it makes them."""

from __future__ import annotations

from harness import Case, method

CASES = [
    Case(
        "base class method",
        """
        class Base:
            def factor(self):
                return 2

        class Scale(Base):
            def scaled(self, x):
                return x * self.factor()
        """,
        returns="Scale().scaled(21)",
        matters=("return 2", "return 3"),
        harmless=("return 2", "return 2  # times"),
    ),
    Case(
        "base class in another module",
        "import bases\n\nclass Scale(bases.Base):\n    pass\n",
        {"bases.py": "class Base:\n    factor = 2\n\nclass Unrelated:\n    factor = 7\n"},
        returns="Scale().factor",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 7", "factor = 8"),
    ),
    Case(
        "mixin method",
        """
        class Doubling:
            def times(self, x):
                return x * 2

        class Plain:
            pass

        class Scale(Plain, Doubling):
            pass
        """,
        returns="Scale().times(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "(x * 2)"),
    ),
    Case(
        "mixin of a stage",
        "\nclass Doubling:\n    def times(self, x):\n        return x * 2\n\n"
        "class Scaled(Doubling, Stage):\n    def compute(self):\n        return table(self.times(21))\n",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x * 2  # twice"),
    ),
    Case(
        "order of the bases",
        """
        class First:
            word = "first"

        class Second:
            word = "second"

        class Both(First, Second):
            pass
        """,
        returns="Both.word",
        matters=("(First, Second)", "(Second, First)"),
        harmless=("(First, Second)", "(First, Second,)"),
    ),
    Case(
        "super()",
        """
        class Base:
            def value(self):
                return 1

        class Derived(Base):
            def value(self):
                return super().value() + 1
        """,
        returns="Derived().value()",
        matters=("return 1\n", "return 2\n"),
        harmless=("super().value()", "(super().value())"),
    ),
    Case(
        "class attribute",
        "class Scale:\n    factor = 2\n\nclass Unrelated:\n    factor = 7\n",
        returns="Scale.factor",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 7", "factor = 8"),
    ),
    Case(
        "class attribute of a stage",
        "\nclass Scaled(Stage):\n    factor = 2\n    def compute(self):\n        return table(self.factor)\n",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 2", "factor = 2  # times"),
    ),
    Case(
        "class attribute from a constant",
        "FACTOR = 2\n\nclass Scale:\n    factor = FACTOR\n",
        returns="Scale.factor",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("FACTOR = 2", "FACTOR = 2 # times"),
    ),
    Case(
        "class attribute set from outside",
        "class Scale:\n    factor = 2\n\nScale.factor = 5\n",
        returns="Scale.factor",
        matters=("Scale.factor = 5", "Scale.factor = 6"),
        harmless=("Scale.factor = 5", "Scale.factor = (5)"),
    ),
    Case(
        "method set from outside",
        "class Scale:\n    pass\n\ndef doubled(self, x):\n    return x * 2\n\nScale.times = doubled\n",
        returns="Scale().times(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x * 2  # twice"),
    ),
    Case(
        "enum member",
        "import enum\n\nclass Colour(enum.Enum):\n    RED = 1\n    BLUE = 2\n\nclass Size(enum.Enum):\n    BIG = 9\n",
        returns="[member.value for member in Colour]",
        matters=("BLUE = 2", "BLUE = 3"),
        harmless=("BIG = 9", "BIG = 8"),
    ),
    Case(
        "order of enum members",
        "import enum\n\nclass Colour(enum.Enum):\n    RED = enum.auto()\n    BLUE = enum.auto()\n",
        returns="Colour.RED.value",
        matters=("    RED = enum.auto()\n    BLUE = enum.auto()\n", "    BLUE = enum.auto()\n    RED = enum.auto()\n"),
        harmless=("    RED = enum.auto()\n", "    RED = enum.auto()\n\n"),
    ),
    Case(
        "dataclass field",
        "from dataclasses import dataclass\n\n@dataclass\nclass Limits:\n    low: int = 1\n    high: int = 5\n",
        returns="Limits()",
        matters=("high: int = 5", "high: int = 6"),
        harmless=("high: int = 5", "high: int=5"),
    ),
    Case(
        "order of dataclass fields",
        "from dataclasses import dataclass\n\n@dataclass\nclass Limits:\n    low: int\n    high: int\n",
        returns="Limits(1, 5)",
        matters=("    low: int\n    high: int\n", "    high: int\n    low: int\n"),
        harmless=("    high: int\n", "    high: int  # the upper\n"),
    ),
    Case(
        "default_factory of a dataclass field",
        """
        import dataclasses

        def initial():
            return [1]

        @dataclasses.dataclass
        class Limits:
            values: list = dataclasses.field(default_factory=initial)
        """,
        returns="Limits().values",
        matters=("return [1]", "return [2]"),
        harmless=("return [1]", "return [1,]"),
    ),
    Case(
        "option of a dataclass",
        "from dataclasses import dataclass\n\n@dataclass(eq=True)\nclass Point:\n    x: int = 1\n",
        returns="Point() == Point()",
        matters=("eq=True", "eq=False"),
        harmless=("(eq=True)", "(eq=True,)"),
    ),
    Case(
        "__post_init__",
        "from dataclasses import dataclass\n\n@dataclass\nclass Point:\n    x: int = 1\n"
        "    def __post_init__(self):\n        self.x += 1\n",
        returns="Point().x",
        matters=("self.x += 1", "self.x += 2"),
        harmless=("self.x += 1", "self.x += (1)"),
    ),
    Case(
        "annotation that makes a dataclass field",
        "from dataclasses import dataclass\nfrom typing import ClassVar\n\n@dataclass\nclass Point:\n    x: int = 1\n    y: int = 2\n",
        returns="repr(Point())",
        matters=("y: int = 2", "y: ClassVar[int] = 2"),
        harmless=("y: int = 2", "y: int = (2)"),
    ),
    Case(
        "NamedTuple",
        "from typing import NamedTuple\n\nclass Point(NamedTuple):\n    x: int = 1\n",
        returns="Point()",
        matters=("x: int = 1", "x: int = 2"),
        harmless=("x: int = 1", "x: int=1"),
    ),
    Case(
        "inner class",
        "class Outer:\n    class Inner:\n        factor = 2\n",
        returns="Outer.Inner.factor",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 2", "factor = 2  # times"),
    ),
    Case(
        "classmethod",
        "class Scale:\n    factor = 2\n    @classmethod\n    def times(cls, x):\n        return x * cls.factor\n",
        returns="Scale.times(21)",
        matters=("x * cls", "x + cls"),
        harmless=("x * cls", "x*cls"),
    ),
    Case(
        "staticmethod",
        "class Scale:\n    @staticmethod\n    def times(x):\n        return x * 2\n",
        returns="Scale.times(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x*2"),
    ),
    Case(
        "helper of a method",
        "def doubled(x):\n    return x * 2\n\nclass Scale:\n    def times(self, x):\n        return doubled(x)\n",
        returns="Scale().times(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x*2"),
    ),
    Case(
        "__call__",
        "class Doubled:\n    def __call__(self, x):\n        return x * 2\n\ndoubled = Doubled()\n",
        returns="doubled(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x*2"),
    ),
    Case(
        "__init__",
        "class Scale:\n    def __init__(self):\n        self.factor = 2\n\nSCALE = Scale()\n",
        returns="SCALE.factor",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 2", "factor = 2  # times"),
    ),
    Case(
        "operator of a class",
        "class Number:\n    def __add__(self, other):\n        return other + 1\n",
        returns="Number() + 1",
        matters=("other + 1", "other + 2"),
        harmless=("other + 1", "other+1"),
    ),
    Case(
        "context manager",
        "class Given:\n    def __enter__(self):\n        return 1\n    def __exit__(self, *error):\n        return None\n\n"
        "def entered():\n    with Given() as given:\n        return given\n",
        returns="entered()",
        matters=("return 1", "return 2"),
        harmless=("return 1", "return (1)"),
    ),
    Case(
        "contextlib.contextmanager",
        "import contextlib\n\n@contextlib.contextmanager\ndef given():\n    yield 1\n\n"
        "def entered():\n    with given() as found:\n        return found\n",
        returns="entered()",
        matters=("yield 1", "yield 2"),
        harmless=("yield 1", "yield (1)"),
    ),
    Case(
        "__init_subclass__ registration",
        """
        KINDS = {}

        class Kind:
            def __init_subclass__(cls):
                KINDS[cls.__name__] = cls

        class Round(Kind):
            sides = 1
        """,
        returns="KINDS['Round'].sides",
        matters=("sides = 1", "sides = 2"),
        harmless=("sides = 1", "sides = 1  # all round"),
    ),
    Case(
        "body of __init_subclass__",
        """
        class Kind:
            def __init_subclass__(cls, times):
                cls.factor = times * 2

        class Round(Kind, times=3):
            pass
        """,
        returns="Round.factor",
        matters=("times * 2", "times * 3"),
        harmless=("times * 2", "times*2"),
    ),
    Case(
        "keyword of a class",
        "class Kind:\n    def __init_subclass__(cls, times):\n        cls.factor = times\n\n"
        "class Round(Kind, times=3):\n    pass\n",
        returns="Round.factor",
        matters=("times=3", "times=4"),
        harmless=("times=3", "times = 3"),
    ),
    Case(
        "metaclass",
        """
        class Meta(type):
            def __new__(cls, name, bases, namespace):
                return super().__new__(cls, name, bases, {**namespace, "factor": 2})

        class Scale(metaclass=Meta):
            pass
        """,
        returns="Scale.factor",
        matters=('"factor": 2', '"factor": 3'),
        harmless=('"factor": 2', "'factor': 2"),
    ),
    Case(
        "metaclass of a base class",
        """
        class Meta(type):
            @property
            def factor(cls):
                return 2

        class Base(metaclass=Meta):
            pass

        class Scale(Base):
            pass
        """,
        returns="Scale.factor",
        matters=("return 2", "return 3"),
        harmless=("return 2", "return 2  # times"),
    ),
    Case(
        "class made by type()",
        "def times(self, x):\n    return x * 2\n\nScale = type('Scale', (), {'times': times})\n",
        returns="Scale().times(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x*2"),
    ),
    Case(
        "__getattr__ of a class",
        "class Scale:\n    def __getattr__(self, name):\n        return name * 2\n",
        returns="Scale().anything",
        matters=("name * 2", "name * 3"),
        harmless=("name * 2", "name*2"),
    ),
    Case(
        "method asked for by a computed name",
        "class Scale:\n    def first(self):\n        return 1\n\ndef ask(name):\n    return getattr(Scale(), name)()\n",
        returns="ask('fi' + 'rst')",
        matters=("return 1", "return 2"),
        harmless=("return 1", "return (1)"),
    ),
    Case(
        "__subclasses__()",
        "class Kind:\n    sides = 0\n\nclass Round(Kind):\n    sides = 1\n",
        returns="[kind.sides for kind in Kind.__subclasses__()]",
        matters=("sides = 1", "sides = 2"),
        harmless=("sides = 1", "sides = (1)"),
        is_undecided=True,
    ),
    Case(
        "abc.register",
        "import abc\n\nclass Kind(abc.ABC):\n    pass\n\nclass Round:\n    pass\n\nclass Long:\n    pass\n\nKind.register(Round)\n",
        returns="isinstance(Round(), Kind)",
        matters=("Kind.register(Round)", "Kind.register(Long)"),
        harmless=("Kind.register(Round)", "Kind.register(Round)  # virtually"),
    ),
    Case(
        "base class of a stage",
        "\nclass Scaled(Stage):\n    factor = 2\n    def compute(self):\n        return table(self.factor)\n\n"
        "class Derived(Scaled):\n    def compute(self):\n        return table(self.factor + 1)\n",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 2", "factor = 2  # times"),
        reruns=frozenset({"Scaled", "Derived"}),
    ),
    Case(
        "derived stage only",
        "\nclass Base(Stage):\n    factor = 2\n    def compute(self):\n        return table(self.factor)\n\n"
        "class Scaled(Base):\n    more = 1\n    def compute(self):\n        return table(self.factor + self.more)\n",
        matters=("more = 1", "more = 2"),
        harmless=("more = 1", "more = (1)"),
    ),
    Case(
        "slots",
        "class Point:\n    __slots__ = ('x',)\n\ndef named():\n    return Point.__slots__\n",
        returns="named()",
        matters=("('x',)", "('x', 'y')"),
        harmless=("('x',)", "('x', )"),
    ),
    Case(
        "class body with a loop",
        "class Powers:\n    values = []\n    for n in range(3):\n        values.append(n ** 2)\n",
        returns="Powers.values",
        matters=("n ** 2", "n ** 3"),
        harmless=("n ** 2", "n**2"),
    ),
    Case(
        "attribute of a stage set at import",
        method("return table(self.word)") + "\nScaled.word = 'before'\n",
        matters=("'before'", "'after'"),
        harmless=("'before'", '"before"'),
    ),
]
