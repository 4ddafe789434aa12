"""Cases of code: effects at a distance, which a reader of one definition would not see."""

from __future__ import annotations

from harness import Case

TOOLS = {"tools.py": "def helper(x):\n    return x * 2\n\ndef scaled(x):\n    return helper(x)\n\nUNUSED = 1\n"}
UNUSED = ("UNUSED = 1", "UNUSED = 2")

CASES = [
    Case(
        "monkeypatch by a function called at import",
        "import tools\nimport patches\n",
        {**TOOLS, "patches.py": "import tools\n\ndef install():\n    tools.helper = lambda x: x * 5\n\ninstall()\n"},
        returns="tools.scaled(21)",
        matters=("x * 5", "x * 6"),
        harmless=UNUSED,
    ),
    Case(
        "monkeypatch called by the stage's module",
        "import tools\nimport patches\n\npatches.install(5)\n",
        {**TOOLS, "patches.py": "import tools\n\ndef install(n):\n    tools.helper = lambda x: x * n\n"},
        returns="tools.scaled(21)",
        matters=("install(5)", "install(6)"),
        harmless=UNUSED,
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "monkeypatch in a condition",
        "import tools\nimport patches\n",
        {**TOOLS, "patches.py": "import tools\n\nif True:\n    try:\n        tools.helper = lambda x: x * 5\n    finally:\n        pass\n"},
        returns="tools.scaled(21)",
        matters=("x * 5", "x * 6"),
        harmless=UNUSED,
    ),
    Case(
        "monkeypatch imported inside the helper that needs it",
        "import tools\n\ndef patched(x):\n    import patches\n    return tools.scaled(x)\n",
        {**TOOLS, "patches.py": "import tools\ntools.helper = lambda x: x * 5\n"},
        returns="patched(21)",
        matters=("x * 5", "x * 6"),
        harmless=UNUSED,
    ),
    Case(
        "monkeypatch through sys.modules",
        "import tools\nimport patches\n",
        {**TOOLS, "patches.py": "import sys\nimport tools\nsys.modules['tools'].helper = lambda x: x * 5\n"},
        returns="tools.scaled(21)",
        matters=("x * 5", "x * 6"),
        harmless=("UNUSED = 1", "UNUSED = (1)"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "monkeypatch in a package around the module",
        "from package.inner import scaled\n",
        {
            "tools.py": TOOLS["tools.py"],
            "package/__init__.py": "import tools\ntools.helper = lambda x: x * 5\n",
            "package/inner.py": "import tools\n\ndef scaled(x):\n    return tools.scaled(x)\n",
        },
        returns="scaled(21)",
        matters=("x * 5", "x * 6"),
        harmless=UNUSED,
    ),
    Case(
        "registration by a plain call in another module",
        "import registry\nimport plugins\n",
        {
            "registry.py": "KNOWN = {}\n\ndef register(name, value):\n    KNOWN[name] = value\n",
            "plugins.py": "from registry import register\n\nregister('a', 2)\n\nUNUSED = 1\n",
        },
        returns="registry.KNOWN['a']",
        matters=("'a', 2", "'a', 3"),
        harmless=UNUSED,
    ),
    Case(
        "registration in a loop over functions",
        "KNOWN = {}\n\ndef first():\n    return 2\n\ndef second():\n    return 7\n\n"
        "for function in (first, second):\n    KNOWN[function.__name__] = function\n",
        returns="KNOWN['first']()",
        matters=("return 2", "return 3"),
        harmless=("return 2", "return (2)"),
    ),
    Case(
        "functools.singledispatch registered in another module",
        "import shapes\nimport more\n",
        {
            "shapes.py": "import functools\n\n@functools.singledispatch\ndef shown(x):\n    return 'anything'\n",
            "more.py": "import shapes\n\n@shapes.shown.register\ndef of_int(x: int):\n    return 'a number'\n\nUNUSED = 1\n",
        },
        returns="shapes.shown(1)",
        matters=("a number", "an integer"),
        harmless=UNUSED,
    ),
    Case(
        "attribute deep in another module",
        "import tools\nimport patches\n",
        {
            "tools.py": "class Config:\n    limits = {'a': {'b': 1}}\n",
            "patches.py": "import tools\n\ntools.Config.limits['a']['b'] = 5\n\nUNUSED = 1\n",
        },
        returns="tools.Config.limits['a']['b']",
        matters=("['b'] = 5", "['b'] = 6"),
        harmless=UNUSED,
    ),
    Case(
        "class known by another name",
        "class Scale:\n    factor = 2\n\nSame = Scale\nSame.factor = 5\n",
        returns="Scale.factor",
        matters=("factor = 5", "factor = 6"),
        harmless=("factor = 5", "factor = (5)"),
    ),
    Case(
        "dict of another module known by another name",
        "import tools\nimport patches\n",
        {"tools.py": "LIMITS = {'a': 1}\n", "patches.py": "import tools\n\nmine = tools.LIMITS\nmine.update(a=5)\nUNUSED = 1\n"},
        returns="tools.LIMITS['a']",
        matters=("a=5", "a=6"),
        harmless=UNUSED,
    ),
    Case(
        "dict changed through dict.update",
        "LIMITS = {'a': 1}\ndict.update(LIMITS, a=5)\n",
        returns="LIMITS['a']",
        matters=("a=5", "a=6"),
        harmless=("a=5", "a=(5)"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "dict changed through operator.setitem",
        "import operator\nLIMITS = {'a': 1}\noperator.setitem(LIMITS, 'a', 5)\n",
        returns="LIMITS['a']",
        matters=("'a', 5", "'a', 6"),
        harmless=("'a', 5", "'a', (5)"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "setattr of a class",
        "class Scale:\n    factor = 2\n\nsetattr(Scale, 'factor', 5)\n",
        returns="Scale.factor",
        matters=("'factor', 5", "'factor', 6"),
        harmless=("'factor', 5", "'factor', (5)"),
    ),
    Case(
        "iterator that is advanced",
        "import itertools\nIDS = itertools.count(1)\nnext(IDS)\nFIRST = next(IDS)\n",
        returns="FIRST",
        matters=("next(IDS)\nFIRST", "next(IDS), next(IDS)\nFIRST"),
        harmless=("next(IDS)\nFIRST", "(next(IDS))\nFIRST"),
    ),
    Case(
        "iterator that another definition advances",
        "import itertools\nIDS = itertools.count(1)\nFIRST = next(IDS)\nLAST = next(IDS)\n",
        returns="LAST",
        matters=("LAST = next(IDS)", "MIDDLE = next(IDS)\nLAST = next(IDS)"),
        harmless=("LAST = next(IDS)", "LAST = (next(IDS))"),
    ),
    Case(
        "random numbers that another definition draws",
        "import random\nRANDOM = random.Random(1)\nFIRST = RANDOM.random()\nLAST = RANDOM.random()\n",
        returns="LAST",
        matters=("FIRST = RANDOM.random()\n", ""),
        harmless=("FIRST = RANDOM.random()", "FIRST = (RANDOM.random())"),
    ),
    Case(
        "default of a stage's parameter from another module",
        "import constants\n\nclass Scaled(Stage):\n    factor = luigi.IntParameter(default=constants.FACTOR)\n"
        "    def compute(self):\n        return table(self.factor)\n",
        {"constants.py": "FACTOR = 2\nUNUSED = 1\n"},
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=UNUSED,
    ),
    Case(
        "number of stages that are required",
        "COUNT = 2\n\nclass First(Stage):\n    number = luigi.IntParameter(default=0)\n"
        "    def compute(self):\n        return table(self.number)\n\n"
        "class Scaled(Stage):\n    def requires(self):\n        return [First(number=n) for n in range(COUNT)]\n"
        "    def compute(self, given):\n        return pd.concat(given)\n",
        matters=("COUNT = 2", "COUNT = 1"),
        harmless=("COUNT = 2", "COUNT = (2)"),
    ),
    Case(
        "stage made by a function",
        "def make(factor):\n    class Scaled(Stage):\n        def compute(self):\n            return table(factor)\n    return Scaled\n\n"
        "Scaled = make(2)\n",
        matters=("make(2)", "make(3)"),
        harmless=("make(2)", "make((2))"),
    ),
    Case(
        "stage made by type()",
        "class Base(Stage):\n    factor = 1\n    def compute(self):\n        return table(self.factor)\n\n"
        "Scaled = type('Scaled', (Base,), {'factor': 2})\n",
        matters=("'factor': 2", "'factor': 3"),
        harmless=("'factor': 2", '"factor": 2'),
    ),
    Case(
        "stage that requires by luigi's decorator",
        "from luigi.util import requires\n\nclass First(Stage):\n    def compute(self):\n        return table(1)\n\n"
        "class Second(Stage):\n    def compute(self):\n        return table(2)\n\n"
        "@requires(First)\nclass Scaled(Stage):\n    def compute(self, given):\n        return given\n",
        matters=("@requires(First)", "@requires(Second)"),
        harmless=("@requires(First)", "@(requires(First))"),
    ),
    Case(
        "lambda with a default from a loop",
        "NUMBERS = (2, 3)\nSTEPS = [lambda x, n=n: x * n for n in NUMBERS]\n",
        returns="[step(1) for step in STEPS]",
        matters=("(2, 3)", "(2, 4)"),
        harmless=("x * n", "(x * n)"),
    ),
    Case(
        "attribute of the class of self",
        "class Scale:\n    factor = 2\n    def times(self, x):\n        return x * type(self).factor\n\n"
        "class Bigger(Scale):\n    factor = 5\n",
        returns="Bigger().times(21)",
        matters=("factor = 5", "factor = 6"),
        harmless=("factor = 5", "factor = (5)"),
    ),
    Case(
        "__all__ put together",
        "from tools import *\n",
        {"tools.py": "from inner import *\nfrom inner import __all__ as _names\n__all__ = [*_names]\nUNUSED = 1\n",
         "inner.py": "__all__ = ['FACTOR']\nFACTOR = 2\n"},
        returns="FACTOR",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=UNUSED,
    ),
    Case(
        "optional module that is None",
        "try:\n    import fast\nexcept ImportError:\n    fast = None\n\ndef scaled(x):\n    return fast.scaled(x) if fast else x * 2\n",
        {"fast.py": "def scaled(x):\n    return x * 5\n\ndef unrelated():\n    return 7\n"},
        returns="scaled(21)",
        matters=("x * 5", "x * 6"),
        harmless=("return 7", "return 8"),
    ),
    Case(
        "configuration kept by a class method",
        "import settings_of\n\nsettings_of.Settings.configure(factor=5)\n",
        {"settings_of.py": "class Settings:\n    factor = 1\n    @classmethod\n    def configure(cls, factor):\n        cls.factor = factor\n\nUNUSED = 1\n"},
        returns="settings_of.Settings.factor",
        matters=("factor=5", "factor=6"),
        harmless=UNUSED,
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "name that a function of another module makes",
        "import tools\ntools.configure()\n",
        {"tools.py": "def configure():\n    global FACTOR\n    FACTOR = 2\n\nUNUSED = 1\n"},
        returns="tools.FACTOR",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("UNUSED = 1", "UNUSED = (1)"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "name among the builtins",
        "import builtins\nbuiltins.FACTOR = 2\n\ndef scaled(x):\n    return x * FACTOR\n",
        returns="scaled(21)",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("FACTOR = 2", "FACTOR = (2)"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "statement put together",
        "TABLE = 'SELECT 1 AS value'\n\nclass Scaled(Query):\n    sql = f'{TABLE} WHERE 1 = 1'\n",
        matters=("SELECT 1 AS", "SELECT 2 AS"),
        harmless=("'SELECT 1 AS value'", '"SELECT 1 AS value"'),
    ),
    Case(
        "schema named by a text",
        "class Scaled(Stage):\n    schema = 'shapes:Shape'\n    def compute(self):\n        return pd.DataFrame({'value': [1]})\n",
        {"shapes.py": "import pandera.pandas as pa\n\nclass Shape(pa.DataFrameModel):\n    value: int\n"
         "    class Config:\n        coerce = True\n\nUNUSED = 1\n"},
        matters=("value: int", "value: float"),
        harmless=UNUSED,
    ),
    Case(
        "unpickled class",
        "import pickle\n\nclass Kept:\n    factor = 2\n\nDATA = pickle.dumps(Kept())\n",
        returns="pickle.loads(DATA).factor",
        matters=("factor = 2", "factor = 3"),
        harmless=("factor = 2", "factor = (2)"),
        may_rerun=frozenset({"Other"}),
        is_undecided=True,
    ),
    Case(
        "get_config",
        "from luigi.configuration import get_config\nUNUSED = 1\ndef f():\n    return get_config().getint('limits', 'rate')\n",
        {
            "luigi.cfg": "[workflows]\npipelines = acme\nstore = store\ncache = cache\ntemplates = templates\ndatabase = sqlite:///acme.db\n\n[limits]\nrate = 5\n"
        },
        returns="f()",
        matters=("rate = 5", "rate = 6"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "get_config under another name",
        "import luigi.configuration as c\nUNUSED = 1\ndef f():\n    return c.get_config().getint('limits', 'rate')\n",
        {
            "luigi.cfg": "[workflows]\npipelines = acme\nstore = store\ncache = cache\ntemplates = templates\ndatabase = sqlite:///acme.db\n\n[limits]\nrate = 5\n"
        },
        returns="f()",
        matters=("rate = 5", "rate = 6"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "the parser of luigi.cfg by star",
        "from luigi.configuration import *\nUNUSED = 1\ndef f():\n    return LuigiConfigParser.instance().getint('limits', 'rate')\n",
        {
            "luigi.cfg": "[workflows]\npipelines = acme\nstore = store\ncache = cache\ntemplates = templates\ndatabase = sqlite:///acme.db\n\n[limits]\nrate = 5\n"
        },
        returns="f()",
        matters=("rate = 5", "rate = 6"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "the parser of luigi.cfg from its module",
        "from luigi import configuration\nUNUSED = 1\ndef f():\n    return configuration.LuigiConfigParser.instance().getint('limits', 'rate')\n",
        {
            "luigi.cfg": "[workflows]\npipelines = acme\nstore = store\ncache = cache\ntemplates = templates\ndatabase = sqlite:///acme.db\n\n[limits]\nrate = 5\n"
        },
        returns="f()",
        matters=("rate = 5", "rate = 6"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
        may_rerun=frozenset({"Other"}),
    ),
    Case(
        "get_config in a condition",
        "from luigi.configuration import get_config\nUNUSED = 1\nif get_config().getint('limits', 'rate') == 5:\n    RATE = 1\nelse:\n    RATE = 2\n",
        {
            "luigi.cfg": "[workflows]\npipelines = acme\nstore = store\ncache = cache\ntemplates = templates\ndatabase = sqlite:///acme.db\n\n[limits]\nrate = 5\n"
        },
        returns="RATE",
        matters=("rate = 5", "rate = 6"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
    ),
    Case(
        "get_config in another definition",
        "from luigi.configuration import get_config\nRATE = 5\ndef f():\n    return RATE\ndef other():\n    return get_config().getint('limits', 'rate')\n",
        {
            "luigi.cfg": "[workflows]\npipelines = acme\nstore = store\ncache = cache\ntemplates = templates\ndatabase = sqlite:///acme.db\n\n[limits]\nrate = 5\n"
        },
        returns="f()",
        matters=("RATE = 5", "RATE = 6"),
        harmless=("rate = 5", "rate = 6"),
    ),
]  # fmt: skip
