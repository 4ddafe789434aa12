"""What Luigi must be told lest a failure looks like a success, for where luigi.cfg is silent or missing."""

from __future__ import annotations

import datetime
import importlib
import multiprocessing
import sys
import warnings

from luigi.configuration import get_config
from luigi.parameter import UnconsumedParameterWarning
from luigi.task_register import Register

from workflows.errors import SettingError

# The reasons are in the project's own luigi.cfg.
_UNLESS_SAID = {
    "core": {"log_level": "WARNING", "no_lock": "true", "rpc-retry-attempts": "3", "rpc-retry-wait": "2"},
    "worker": {"check_complete_on_run": "true"},
    "scheduler": {"stable_done_cooldown_secs": "0"},
    "retcode": {
        "already_running": "10",
        "missing_data": "20",
        "not_run": "25",
        "task_failed": "30",
        "scheduling_error": "35",
        "unhandled_exception": "40",
    },
}


def complete() -> None:
    """Fill in what is not said."""
    for section, keys in _UNLESS_SAID.items():
        for key, value in keys.items():
            if not get_config().has_option(section, key):
                get_config().set(section, key, value)
    # Luigi reads these keys of [core] itself, and then says that nobody does.
    warnings.filterwarnings("ignore", r".*'rpc_\w+'.*'core'", UnconsumedParameterWarning)
    if any(word.startswith("Range") for word in sys.argv[1:]):
        _prepare_ranges()


def check(*tasks: str) -> None:
    """Refuse a key in the section of a task that is no parameter of it: Luigi would go on with the default."""
    for task in tasks:
        known = [name for name, _ in Register.get_task_cls(task).get_params() if name != "version"]
        for key in get_config()[task] if get_config().has_section(task) else ():
            if key.replace("-", "_") not in known and key not in get_config().defaults():
                raise SettingError.unknown(key, f"luigi.cfg, [{task}]", known)


def fork() -> None:
    """Have Luigi's workers fork: a process that starts anew would not know what the command line said."""
    if multiprocessing.get_start_method(allow_none=True) is None:
        multiprocessing.set_start_method("fork")


def _prepare_ranges() -> None:
    """Make Luigi's ranges known, which costs a tenth of its own start: not for those who use none."""
    importlib.import_module("luigi.tools.range")
    warnings.filterwarnings("ignore", r'Parameter "param_name" with value "None" is not of type string')
    if "--start" in sys.argv and not get_config().has_option("RangeDaily", "days_back"):
        # A range leaves out what is more than 100 days ago, without a word, even where its start is given.
        get_config().set("RangeDaily", "days_back", str(datetime.date.today().toordinal() - 1))
