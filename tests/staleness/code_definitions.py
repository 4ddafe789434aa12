"""Cases of code: definitions that a stage reaches within modules."""

from __future__ import annotations

from harness import Case, add, method

CASES = [
    Case(
        "helper",
        """
        def doubled(x):
            return x * 2

        def unrelated(x):
            return x * 5
        """,
        returns="doubled(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 5", "x * 6"),
    ),
    Case(
        "helper of a helper",
        """
        def inner(x):
            return x * 2

        def outer(x):
            return inner(x) + 1
        """,
        returns="outer(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "(x  *  2)"),
    ),
    Case(
        "helpers that call each other",
        """
        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1)
        """,
        returns="even(4)",
        matters=("n != 0 and", "n == 99 and"),
        harmless=("even(n - 1)", "(even(n - 1))"),
    ),
    Case(
        "constant",
        "FACTOR = 2\nUNUSED = 1\n",
        returns="FACTOR * 21",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case("1 becomes True", "FLAG = 1\n", returns="FLAG", matters=("= 1", "= True"), harmless=("= 1", "= (1)")),
    Case("1 becomes 1.0", "FLAG = 1\n", returns="FLAG", matters=("= 1", "= 1.0"), harmless=("= 1", "= 0x1")),
    Case("0.0 becomes -0.0", "ZERO = 0.0\n", returns="ZERO", matters=("= 0.0", "= -0.0"), harmless=("= 0.0", "= 0.00")),
    Case("text becomes bytes", "T = 'a'\n", returns="T", matters=("'a'", "b'a'"), harmless=("'a'", '"a"')),
    Case("tuple becomes list", "T = (1, 2)\n", returns="T", matters=("(1, 2)", "[1, 2]"), harmless=("(1, 2)", "1, 2")),
    Case("operator", "def f(x): return x + 2\n", returns="f(5)", matters=("x + 2", "x - 2"), harmless=("x + 2", "x+2")),
    Case(
        "order of statements",
        """
        def steps(x):
            x += 1
            x *= 2
            return x
        """,
        returns="steps(5)",
        matters=("    x += 1\n    x *= 2\n", "    x *= 2\n    x += 1\n"),
        harmless=("    x += 1\n    x *= 2\n", "    x += 1; x *= 2\n"),
    ),
    Case(
        "depth of a statement",
        """
        def total(xs):
            found = 0
            for x in xs:
                found += x
            return found
        """,
        returns="total([1, 2, 3])",
        matters=("    return found", "        return found"),
        harmless=("found += x", "found += (x)"),
    ),
    Case(
        "a definition that hides a builtin",
        "def largest(*xs):\n    return max(xs)\n",
        returns="largest(1, 2)",
        matters=add("\ndef max(xs):\n    return 'hidden'\n"),
        harmless=add("\ndef maximum(xs):\n    return 'not asked'\n"),
    ),
    Case(
        "a second definition of the same name",
        "def doubled(x):\n    return x * 2\n",
        returns="doubled(21)",
        matters=add("\ndef doubled(x):\n    return x * 3\n"),
        harmless=add("\ndef tripled(x):\n    return x * 3\n"),
    ),
    Case(
        "a constant behind a local of the same name",
        "FACTOR = 2\nSHOWN = 1\n\ndef scaled(x):\n    SHOWN = 5\n    return x * FACTOR + SHOWN\n",
        returns="scaled(1)",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("SHOWN = 1", "SHOWN = 2"),
    ),
    Case(
        "default argument",
        "def scaled(x, by=2):\n    return x * by\n",
        returns="scaled(21)",
        matters=("by=2", "by=3"),
        harmless=("by=2", "by = 2"),
    ),
    Case(
        "default argument from a constant",
        "FACTOR = 2\n\ndef scaled(x, *, by=FACTOR):\n    return x * by\n",
        returns="scaled(21)",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("FACTOR = 2", "FACTOR = 2  # times"),
    ),
    Case(
        "names of arguments",
        "def shown(**given):\n    return sorted(given)\n\ndef ask():\n    return shown(first=1)\n",
        returns="ask()",
        matters=("first=1", "second=1"),
        harmless=("first=1", "first = 1"),
    ),
    Case(
        "decorator",
        """
        def twice(function):
            def wrapped(x):
                return function(x) * 2
            return wrapped

        @twice
        def more(x):
            return x + 1
        """,
        returns="more(20)",
        matters=("function(x) * 2", "function(x) * 3"),
        harmless=("function(x) * 2", "function(x) * 2  # twice"),
    ),
    Case(
        "decorator taken away",
        """
        def twice(function):
            return lambda x: function(x) * 2

        @twice
        def more(x):
            return x + 1
        """,
        returns="more(20)",
        matters=("@twice\n", ""),
        harmless=("@twice\n", "@(twice)\n"),
    ),
    Case(
        "decorator with an argument",
        """
        TIMES = 2

        def times(n):
            def decorate(function):
                return lambda x: function(x) * n
            return decorate

        @times(TIMES)
        def more(x):
            return x + 1
        """,
        returns="more(20)",
        matters=("TIMES = 2", "TIMES = 3"),
        harmless=("TIMES = 2", "TIMES=2"),
    ),
    Case(
        "class decorator",
        """
        def with_factor(cls):
            cls.factor = 2
            return cls

        @with_factor
        class Scale:
            pass
        """,
        returns="Scale.factor",
        matters=("cls.factor = 2", "cls.factor = 3"),
        harmless=("cls.factor = 2", "cls.factor = (2)"),
    ),
    Case(
        "decorator of a stage",
        "def remade(cls):\n    cls.word = 'before'\n    return cls\n\n@remade" + method("return table(self.word)"),
        matters=("'before'", "'after'"),
        harmless=("'before'", '"before"'),
    ),
    Case(
        "closure variable",
        """
        def maker(factor):
            def scaled(x):
                return x * factor
            return scaled

        double = maker(2)
        """,
        returns="double(21)",
        matters=("maker(2)", "maker(3)"),
        harmless=("maker(2)", "maker(\n    2,\n)"),
    ),
    Case(
        "nonlocal",
        """
        def counted():
            n = 2
            def up():
                nonlocal n
                n += 1
            up()
            return n
        """,
        returns="counted()",
        matters=("        nonlocal n\n", "        n = 0\n"),
        harmless=("n += 1", "n += 1  # one more"),
    ),
    Case(
        "functools.partial",
        """
        import functools

        def scaled(x, by):
            return x * by

        double = functools.partial(scaled, by=2)
        """,
        returns="double(21)",
        matters=("x * by", "x + by"),
        harmless=("x * by", "x*by"),
    ),
    Case(
        "argument of functools.partial",
        """
        from functools import partial

        def scaled(x, by):
            return x * by

        double = partial(scaled, by=2)
        """,
        returns="double(21)",
        matters=("by=2", "by=3"),
        harmless=("by=2)", "by=2,)"),
    ),
    Case(
        "functools.partialmethod",
        """
        import functools

        class Scale:
            def scaled(self, x, by):
                return x * by
            double = functools.partialmethod(scaled, by=2)
        """,
        returns="Scale().double(21)",
        matters=("by=2", "by=3"),
        harmless=("by=2)", "by=2, )"),
    ),
    Case(
        "functools.cache",
        "import functools\n\n@functools.cache\ndef doubled(x):\n    return x * 2\n",
        returns="doubled(21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x * 2  # kept"),
    ),
    Case(
        "functools.singledispatch",
        """
        import functools

        @functools.singledispatch
        def shown(x):
            return "anything"

        @shown.register
        def _(x: int):
            return "a number"
        """,
        returns="shown(1)",
        matters=("a number", "an integer"),
        harmless=('"a number"', "'a number'"),
    ),
    Case(
        "dispatch dict",
        """
        def first(x):
            return x * 2

        def unrelated(x):
            return x * 7

        CHOICES = {"first": first}
        """,
        returns="CHOICES['first'](21)",
        matters=("x * 2", "x * 3"),
        harmless=("x * 7", "x * 8"),
    ),
    Case(
        "key of a dispatch dict",
        "OPERATIONS = {'a': abs, 'b': str}\n",
        returns="OPERATIONS['a'](-1)",
        matters=("{'a': abs, 'b': str}", "{'b': abs, 'a': str}"),
        harmless=("{'a': abs, 'b': str}", "{'a': abs, 'b': str,}"),
    ),
    Case(
        "property",
        """
        class Scale:
            @property
            def factor(self):
                return 2
        """,
        returns="Scale().factor",
        matters=("return 2", "return 3"),
        harmless=("return 2", "return 2  # times"),
    ),
    Case(
        "property of a stage",
        "\nclass Scaled(Stage):\n    @property\n    def factor(self):\n        return 2\n"
        "    def compute(self):\n        return table(self.factor)\n",
        matters=("return 2", "return 3"),
        harmless=("return 2", "return (2)"),
    ),
    Case(
        "setter of a property",
        """
        class Scale:
            @property
            def factor(self):
                return self._factor
            @factor.setter
            def factor(self, value):
                self._factor = value * 2

        def asked():
            scale = Scale()
            scale.factor = 21
            return scale.factor
        """,
        returns="asked()",
        matters=("value * 2", "value * 3"),
        harmless=("value * 2", "value  *  2"),
    ),
    Case(
        "functools.cached_property",
        """
        from functools import cached_property

        class Scale:
            @cached_property
            def factor(self):
                return 2
        """,
        returns="Scale().factor",
        matters=("return 2", "return 3"),
        harmless=("return 2", "return 2 # times"),
    ),
    Case(
        "descriptor",
        """
        class Doubled:
            def __set_name__(self, owner, name):
                self.name = name
            def __get__(self, instance, owner):
                return self.name * 2

        class Holder:
            field = Doubled()
        """,
        returns="Holder().field",
        matters=("self.name * 2", "self.name * 3"),
        harmless=("self.name * 2", "(self.name) * 2"),
    ),
    Case(
        "nested def inside async def",
        """
        import asyncio

        async def waited(x):
            def doubled(y):
                return y * 2
            return doubled(x)
        """,
        returns="asyncio.run(waited(21))",
        matters=("y * 2", "y * 3"),
        harmless=("y * 2", "y * 2  # twice"),
    ),
    Case(
        "helper awaited",
        """
        import asyncio

        async def inner(x):
            return x * 2

        async def outer(x):
            return await inner(x)
        """,
        returns="asyncio.run(outer(21))",
        matters=("x * 2", "x * 3"),
        harmless=("await inner(x)", "await (inner(x))"),
    ),
    Case(
        "async generator",
        """
        import asyncio

        async def numbers():
            yield 1

        async def listed():
            return [n async for n in numbers()]
        """,
        returns="asyncio.run(listed())",
        matters=("yield 1", "yield 2"),
        harmless=("yield 1", "yield (1)"),
    ),
    Case(
        "nested def inside a generator",
        """
        def numbers():
            def doubled(x):
                return x * 2
            yield doubled(21)
        """,
        returns="list(numbers())",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x * 2  # twice"),
    ),
    Case(
        "yield from",
        """
        def inner():
            yield 1

        def outer():
            yield from inner()
        """,
        returns="list(outer())",
        matters=("yield 1", "yield 2"),
        harmless=("yield 1", "yield 1  # one"),
    ),
    Case(
        "lambda in a list",
        "STEPS = [lambda x: x + 1, lambda x: x * 2]\n",
        returns="[step(20) for step in STEPS]",
        matters=("x * 2", "x * 3"),
        harmless=("x * 2]", "x * 2,]"),
    ),
    Case(
        "lambda as a key",
        "def ordered(xs):\n    return sorted(xs, key=lambda x: x)\n",
        returns="ordered([2, 1, 3])",
        matters=("lambda x: x", "lambda x: -x"),
        harmless=("lambda x: x", "lambda x:x"),
    ),
    Case(
        "match patterns",
        """
        def kind(x):
            match x:
                case [first, *_]:
                    return "many"
                case {"a": 1}:
                    return "named"
                case int() | float():
                    return "number"
                case _:
                    return "other"
        """,
        returns="[kind([1]), kind({'a': 1}), kind(2), kind('a')]",
        matters=('{"a": 1}', '{"a": 2}'),
        harmless=('{"a": 1}', '{"a": 1,}'),
    ),
    Case(
        "class pattern of match",
        """
        class Point:
            __match_args__ = ("x", "y")
            def __init__(self):
                self.x, self.y = 1, 2

        def first(point):
            match point:
                case Point(a, b):
                    return a
        """,
        returns="first(Point())",
        matters=('("x", "y")', '("y", "x")'),
        harmless=('("x", "y")', "('x', 'y')"),
    ),
    Case(
        "capture of match",
        """
        def found(x):
            match x:
                case [a, *rest]:
                    return rest
        """,
        returns="found([1, 2])",
        matters=("[a, *rest]", "[*rest, a]"),
        harmless=("[a, *rest]", "(a, *rest)"),
    ),
    Case(
        "f-string contents",
        "def said(x):\n    return f'value {x} of'\n",
        returns="said(1)",
        matters=("value {x} of", "value {x}, of"),
        harmless=("f'value {x} of'", 'f"value {x} of"'),
    ),
    Case(
        "f-string expression",
        "def said(x):\n    return f'{x + 1}'\n",
        returns="said(1)",
        matters=("x + 1", "x + 2"),
        harmless=("{x + 1}", "{x+1}"),
    ),
    Case(
        "f-string format",
        "def said(x):\n    return f'{x:.2f}'\n",
        returns="said(1.0)",
        matters=(".2f", ".3f"),
        harmless=("f'{x:.2f}'", 'f"{x:.2f}"'),
    ),
    Case(
        "f-string conversion",
        "def said(x):\n    return f'{x!r}'\n",
        returns="said('a')",
        matters=("{x!r}", "{x!s}"),
        harmless=("f'{x!r}'", 'f"{x!r}"'),
    ),
    Case(
        "conditional expression on a constant",
        "IS_STRICT = True\n\ndef limit():\n    return 1 if IS_STRICT else 2\n",
        returns="limit()",
        matters=("= True", "= False"),
        harmless=("1 if IS_STRICT else 2", "(1 if IS_STRICT else 2)"),
    ),
    Case(
        "comprehension",
        "LIMIT = 3\nSQUARES = [n * n for n in range(LIMIT)]\n",
        returns="SQUARES",
        matters=("LIMIT = 3", "LIMIT = 4"),
        harmless=("n * n for", "n*n for"),
    ),
    Case(
        "condition of a comprehension",
        "def kept(xs):\n    return {x: x for x in xs if x > 1}\n",
        returns="kept([1, 2, 3])",
        matters=("x > 1", "x > 2"),
        harmless=("x > 1", "(x > 1)"),
    ),
    Case(
        "walrus in a function",
        "def found(xs):\n    return (n := len(xs)) + n\n",
        returns="found([1])",
        matters=("len(xs)) + n", "len(xs)) - n"),
        harmless=("(n := len(xs))", "(n:=len(xs))"),
    ),
    Case(
        "exception that is caught",
        """
        CAUGHT = (KeyError,)

        def safe():
            try:
                return {}["a"]
            except CAUGHT:
                return "caught"
            except Exception:
                return "other"
        """,
        returns="safe()",
        matters=("(KeyError,)", "(ValueError,)"),
        harmless=("(KeyError,)", "(KeyError, )"),
    ),
    Case(
        "base of an exception",
        """
        class Wrong(KeyError):
            pass

        def safe():
            try:
                raise Wrong
            except KeyError:
                return "key"
            except Exception:
                return "other"
        """,
        returns="safe()",
        matters=("Wrong(KeyError)", "Wrong(ValueError)"),
        harmless=("    pass", "    ..."),
    ),
    Case(
        "docstring that is read",
        'def helped():\n    """First."""\n\ndef text():\n    return helped.__doc__\n',
        returns="text()",
        matters=("First.", "Second."),
        harmless=("return helped.__doc__", "return (helped.__doc__)"),
    ),
    Case(
        "docstring of the module that is read",
        "TEXT = __doc__\n",
        returns="TEXT",
        matters=lambda folder: (folder / "acme.py").write_text('"""New."""\n' + (folder / "acme.py").read_text()),
        harmless=("TEXT = __doc__", "TEXT = (__doc__)"),
    ),
    Case(
        "docstring read by inspect",
        'import inspect\n\ndef helped():\n    """First."""\n',
        returns="inspect.getdoc(helped)",
        matters=("First.", "Second."),
        harmless=("import inspect\n", "import inspect  # for its text\n"),
    ),
    Case(
        "global statement",
        """
        FACTOR = 2

        def configure():
            global FACTOR
            FACTOR = 5

        def scaled(x):
            configure()
            return x * FACTOR
        """,
        returns="scaled(21)",
        matters=("FACTOR = 5", "FACTOR = 6"),
        harmless=("FACTOR = 5", "FACTOR = 5  # from now on"),
    ),
    Case(
        "type alias read at run time",
        "import typing\nAlias = list[int]\n\ndef shown():\n    return str(typing.get_args(Alias))\n",
        returns="shown()",
        matters=("list[int]", "list[str]"),
        harmless=("Alias = list[int]", "Alias = (list[int])"),
    ),
    Case(
        "string annotation used at run time",
        """
        import typing

        Number = int

        def scaled(x: "Number"):
            return x

        def kinds():
            return typing.get_type_hints(scaled)
        """,
        returns="kinds()",
        matters=("Number = int", "Number = float"),
        harmless=('"Number"', "'Number'"),
    ),
    Case(
        "annotation of a class used at run time",
        """
        import typing

        class Row:
            value: int

        def kinds():
            return typing.get_type_hints(Row)
        """,
        returns="kinds()",
        matters=("value: int", "value: float"),
        harmless=("value: int", "value : int"),
    ),
    Case(
        "the stage itself",
        method("return table(42)"),
        matters=("table(42)", "table(43)"),
        harmless=("table(42)", "table(\n            42  # the answer\n        )"),
    ),
    Case(
        "a local helper of the stage",
        method("def doubled(x):\n    return x * 2\nreturn table(doubled(21))"),
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x * 2  # twice"),
    ),
    Case(
        "default of a stage's parameter",
        "\nclass Scaled(Stage):\n    factor = luigi.IntParameter(default=2)\n"
        "    def compute(self):\n        return table(self.factor)\n",
        matters=("default=2", "default=3"),
        harmless=("default=2", "default = 2"),
    ),
    Case(
        "what a stage requires",
        """
        class First(Stage):
            def compute(self):
                return table(1)

        class Second(Stage):
            def compute(self):
                return table(2)

        class Scaled(Stage):
            def requires(self):
                return First()
            def compute(self, given):
                return given
        """,
        matters=("return First()", "return Second()"),
        harmless=("return First()", "return (First())"),
    ),
    Case(
        "helper of a stage above",
        """
        def doubled(x):
            return x * 2

        class First(Stage):
            def compute(self):
                return table(doubled(21))

        class Scaled(Stage):
            def requires(self):
                return First()
            def compute(self, given):
                return given
        """,
        matters=("x * 2", "x * 3"),
        harmless=("x * 2", "x * 2  # twice"),
        reruns=frozenset({"First", "Scaled"}),
    ),
    Case(
        "helper of a stage below",
        """
        def joined(given):
            return table(*given.value, 1)

        class First(Stage):
            def compute(self):
                return table(42)

        class Scaled(Stage):
            def requires(self):
                return First()
            def compute(self, given):
                return joined(given)
        """,
        matters=("*given.value, 1", "*given.value, 2"),
        harmless=("*given.value, 1", "*given.value, 1,"),
    ),
]
