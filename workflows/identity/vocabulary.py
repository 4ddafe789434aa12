"""The words by which code is read: names of methods and functions, and what they are known to do."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHANGING = _words("""
    __delitem__ __iadd__ __setattr__ __setitem__ add append appendleft clear discard extend fit
    fit_predict fit_transform insert partial_fit pop popitem popleft put register remove reverse
    setdefault sort update
""")
"""Methods that change their object, by the names that Python and its libraries give them."""
FILLING = _words("""
    extendleft fill itemset move_to_end resize rotate setfield setflags subtract
""")
"""Further ones that change their object in place, of arrays and collections; tables have some of the same name that do not."""
READING = _words("""
    as_posix astype casefold copy count critical date debug decode difference encode endswith error
    exception exists find findall format from_string fullmatch get getChild get_template getboolean
    getfloat getint groupby has_option has_section head index info intersection isEnabledFor is_dir
    is_file isdigit isoformat items join joinpath keys lower lstrip match mean merge options partition
    read_bytes read_text relative_to removeprefix removesuffix replace resolve rpartition rsplit rstrip
    search sections split splitlines startswith strftime strip sub sum tail time title tolist
    total_seconds union upper values warning with_name with_suffix
""")
"""Methods that leave their object as it is."""
TAKING = _words("""
    abs all any array asarray asdict bool bytes callable classmethod concat copy cumsum date_range deepcopy dict
    divmod dumps enumerate escape exp field filter float format frozenset getLogger getattr hasattr hash
    id int isinstance issubclass iter join len linspace list loads log map max mean median merge min
    namedtuple object ones partial pow print property quantile range repr reversed round set sorted sqrt staticmethod std str sum super
    to_datetime to_numeric to_timedelta tuple type unique vars wraps zeros zip
""")
"""Functions that leave what they are given as it is; what begins with a capital letter is a constructor."""
ITERATORS = _words("""
    chain count cycle enumerate filter finditer glob islice iter iterdir iterrows itertuples map open
    product reader repeat reversed rglob takewhile zip
""")
"""Functions that give something that is used up by reading it."""
STATEFUL = _words("""
    ExcelFile ExcelWriter Generator HDFStore RandomState SeedSequence cast copy deepcopy default_rng
    evolve memmap nditer replace
""")
"""What makes objects with a state, or gives those of others, in packages that otherwise make values."""
VALUES = _words("""
    abc attr attrs base64 cmath collections copy dataclasses datetime dateutil decimal enum fractions
    hashlib json math numbers numpy pandas pandera pathlib pyarrow pydantic re scipy statistics string
    textwrap typing typing_extensions uuid zoneinfo
""")
"""Packages whose objects change only by the methods that say so, and whose functions leave what they are given as it is."""
PURE = VALUES | _words("""
    functools glob itertools operator os types
""")
"""Further packages whose functions leave what they are given as it is."""
REGISTERING = _words("""
    DeclarativeBase DeclarativeBaseNoMeta SQLModel
""")
"""Base classes that remember the classes made of them."""
KEPT = _words("""
    attrgetter cache compile itemgetter lru_cache methodcaller partial
""")
"""Functions that give what has no state of its own."""
ASKING = _words("""
    clone clone_parent deps input requires
""")
"""How a Luigi task asks for the tasks that it requires."""
REQUIRING = _words("""
    inherits requires
""")
"""Luigi's own decorators of tasks that name other tasks."""
UNPICKLING = _words("""
    cPickle cloudpickle dill joblib pickle
""")
"""Modules that make objects of stored bytes."""
SHELL = _words("""
    Popen call check_call check_output getoutput run run_cell_magic run_line_magic sx system
""")
"""Functions that run other programs, whose command lines may name files."""
DYNAMIC = {
    "__globals__": "__globals__",
    "__subclasses__": "__subclasses__()",
    "_getframe": "sys._getframe()",
    "currentframe": "inspect.currentframe()",
    "eval": "eval()",
    "exec": "exec()",
    "getmembers": "inspect.getmembers()",
    "getmodule": "inspect.getmodule()",
    "globals": "globals()",
}
"""What makes the reach of code undecidable, and how it is called."""
