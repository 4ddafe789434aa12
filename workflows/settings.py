"""What luigi.cfg and the environment say, as frozen settings."""

from __future__ import annotations

import configparser
import dataclasses
import difflib
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luigi.configuration import get_config

from workflows.errors import SettingError

SECTION = "workflows"
EVALUATION = "evaluation"
WEB = "web"
PREFIX = "PARCOURS_"


@dataclass(frozen=True)
class Settings:
    """The section [workflows] of luigi.cfg; each key can also be given as PARCOURS_<KEY>."""

    root: Path
    """The folder of luigi.cfg; relative paths in the settings start here."""
    pipelines: tuple[str, ...]
    """The modules that hold the queries and stages."""
    store: str
    """A folder, or an fsspec URL such as s3://bucket/store."""
    catalog: str
    """An SQLAlchemy URL: the index over the store."""
    cache: Path
    """A folder of look-ups that can always be made anew."""
    web: Path
    """The folder of what the web page keeps: requests, people; on a disk of this machine."""
    templates: Path
    """The folder of the notebooks."""
    database: str
    """An SQLAlchemy URL."""
    dataset: str | None
    """The name of a dataset that answers in place of the database; None for the database."""
    cell_timeout: float | None
    """Seconds that one cell of a report may take; None for no limit."""
    report_timeout: float | None
    """Seconds that a whole report may take; None for no limit."""
    code: bool
    """Whether reports open with their code shown."""
    warm_kernels: bool
    """Whether kernels are forked from a process that has imported what templates import."""


@dataclass(frozen=True)
class EvaluationSettings:
    """The section [evaluation] of luigi.cfg."""

    trunk: str | None
    """The branch that commits are compared with; None for main or master."""
    lock: str
    """The file of pinned packages that a commit runs with; empty for the environment that runs now."""
    variables: tuple[str, ...]
    """The variables of the user's environment that a commit's run gets, beside those that every one gets."""


def load_evaluation() -> EvaluationSettings:
    """Read how commits are evaluated; raises SettingError for an unknown key."""
    config = get_config()
    given = dict(config[EVALUATION]) if config.has_section(EVALUATION) else {}
    known = [field.name for field in dataclasses.fields(EvaluationSettings)]
    for key in given:
        if key not in known and key not in config.defaults():
            raise SettingError.unknown(key, f"luigi.cfg, [{EVALUATION}]", known)
    names = tuple(name.strip() for name in given.get("variables", "").split(",") if name.strip())
    return EvaluationSettings(given.get("trunk") or None, given.get("lock", "requirements.lock").strip(), names)


@dataclass(frozen=True)
class WebSettings:
    """The section [web] of luigi.cfg: who may use the web page, and how it is reached."""

    sign_in: str
    """`auto`: nobody signs in where the page is for this machine only; `always`: also there."""
    address: str | None
    """What people type to reach the page, such as https://reports.example.org; None for that of the command."""
    hosts: tuple[str, ...]
    """More names under which the page is reached."""
    proxy: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    """The addresses of proxies that are believed in what they say of who is before them."""
    proxy_header: str | None
    """The header in which they say who somebody is; None where they do not."""
    proxy_role: str
    """The role of those whom a proxy names and who have no account."""


def load_web() -> WebSettings:
    """Read how the web page is reached; raises SettingError for an unknown key or a value of the wrong kind."""
    config = get_config()
    where = f"luigi.cfg, [{WEB}]"
    given = dict(config[WEB]) if config.has_section(WEB) else {}
    for key in given:
        if key not in _WEB_KEYS and key not in config.defaults():
            raise SettingError.unknown(key, where, list(_WEB_KEYS))
    return WebSettings(**{key: read(given.get(key, usual), key, where) for key, (usual, read) in _WEB_KEYS.items()})


def load() -> Settings:
    """Read the settings of the current directory's project.

    Raises SettingError for an unknown key or a value of the wrong type.
    """
    root = _root()
    given = _given()
    values = {
        key: convert(given[key][0], key, given[key][1]) if key in given else convert(default, key, "the defaults")
        for key, (default, convert) in _KEYS.items()
    }
    for key in ("cache", "web", "templates"):
        values[key] = root / values[key]
    if "://" not in values["store"]:
        values["store"] = str(root / values["store"])
    for key in ("database", "catalog"):
        values[key] = _anchored(values[key], root)
    return Settings(root=root, **values)


def _root() -> Path:
    configured = os.environ.get("LUIGI_CONFIG_PATH")
    return Path(configured).resolve().parent if configured else Path.cwd()


def _given() -> dict[str, tuple[str, str]]:
    """Each given key with its text and the place that gave it; the environment comes last and so wins."""
    config = get_config()
    given: dict[str, tuple[str, str]] = {}
    for section in config.sections():
        if section != SECTION and difflib.get_close_matches(section.lower(), [SECTION], cutoff=0.85):
            raise SettingError.unknown(f"[{section}]", "luigi.cfg", [f"[{SECTION}]"])
    if config.has_section(SECTION):
        where = f"luigi.cfg, [{SECTION}]"
        # An unknown key in [DEFAULT] is none of ours: it may be there for other sections to interpolate.
        for key in config[SECTION]:
            if key in _KEYS or key not in config.defaults():
                given[key] = (_interpolated(config, key, where), where)
    known = list(_KEYS)
    for key, (_, where) in given.items():
        if key not in _KEYS:
            raise SettingError.unknown(key, where, known)
    for name, text in os.environ.items():
        if name.startswith(PREFIX):
            key = name.removeprefix(PREFIX).lower()
            if key not in _KEYS:
                raise SettingError.unknown(name, "the environment", [PREFIX + k.upper() for k in known])
            given[key] = (text, f"the environment variable {name}")
    return given


def _interpolated(config: Any, key: str, where: str) -> str:
    try:
        return str(config.get(SECTION, key))
    except configparser.InterpolationError as error:
        raw = config.get(SECTION, key, raw=True)
        expected = "'%' written as '%%', and after '$' in braces a variable of the environment that is set"
        raise SettingError.wrong(key, where, raw, expected) from error


def _anchored(url: str, root: Path) -> str:
    """A SQLite URL with a relative path, made absolute; any other URL as it is."""
    scheme, _, path = url.partition(":///")
    if scheme.split("+")[0] == "sqlite" and path and path != ":memory:":
        return f"{scheme}:///{root / path}"
    return url


def _text(value: str, key: str, where: str) -> str:
    if not value.strip() or "\0" in value:
        raise SettingError.wrong(key, where, value, "a text that is not empty")
    return value.strip()


def _modules(value: str, key: str, where: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names or not all(part.isidentifier() for name in names for part in name.split(".")):
        raise SettingError.wrong(key, where, value, "comma-separated module names, such as workflows.flights")
    return names


def _url(value: str, key: str, where: str) -> str:
    if "://" not in _text(value, key, where):
        raise SettingError.wrong(key, where, value, f"an SQLAlchemy URL, such as sqlite:///data/{key}.db")
    return value.strip()


def _optional(value: str, key: str, where: str) -> str | None:
    return None if value.strip() in ("", "none") else value.strip()


def _seconds(value: str, key: str, where: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise SettingError.wrong(key, where, value, "a number of seconds, 0 for no limit")
    return seconds or None


def _shown(value: str, key: str, where: str) -> bool:
    if value.strip() not in ("hidden", "shown"):
        raise SettingError.wrong(key, where, value, "'hidden' or 'shown'")
    return value.strip() == "shown"


def _switch(value: str, key: str, where: str) -> bool:
    if value.strip().lower() not in ("true", "false"):
        raise SettingError.wrong(key, where, value, "'true' or 'false'")
    return value.strip().lower() == "true"


_KEYS: dict[str, tuple[str, Callable[[str, str, str], Any]]] = {
    "pipelines": ("workflows.flights", _modules),
    "store": ("data/store", _text),
    "catalog": ("sqlite:///data/catalog.db", _url),
    "cache": ("data/cache", _text),
    "web": ("data/web", _text),
    "templates": ("templates", _text),
    "database": ("sqlite:///data/nyc.db", _url),
    "dataset": ("none", _optional),
    "cell_timeout": ("600", _seconds),
    "report_timeout": ("3600", _seconds),
    "code": ("hidden", _shown),
    "warm_kernels": ("true", _switch),
}

assert set(_KEYS) | {"root"} == {field.name for field in dataclasses.fields(Settings)}


def _one_of(*choices: str) -> Callable[[str, str, str], str]:
    def chosen(value: str, key: str, where: str) -> str:
        if value.strip() not in choices:
            raise SettingError.wrong(key, where, value, " or ".join(f"'{choice}'" for choice in choices))
        return value.strip()

    return chosen


def _address(value: str, key: str, where: str) -> str | None:
    text = value.strip().rstrip("/")
    if text and not re.fullmatch(r"https?://[A-Za-z0-9._\[\]:-]+", text):
        raise SettingError.wrong(key, where, value, "how people reach the page, such as https://reports.example.org")
    return text or None


def _names(value: str, key: str, where: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not all(re.fullmatch(r"[A-Za-z0-9._\[\]:-]+", name) for name in names):
        raise SettingError.wrong(key, where, value, "names of hosts, separated by commas")
    return names


def _networks(value: str, key: str, where: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        expected = "addresses or networks, such as 10.0.0.5 or 10.0.0.0/24, separated by commas"
        raise SettingError.wrong(key, where, value, expected) from error


def _header(value: str, key: str, where: str) -> str | None:
    if not re.fullmatch(r"([A-Za-z][A-Za-z0-9-]*)?", value.strip()):
        raise SettingError.wrong(key, where, value, "the name of a header, such as X-Forwarded-User")
    return value.strip() or None


_WEB_KEYS: dict[str, tuple[str, Callable[[str, str, str], Any]]] = {
    "sign_in": ("auto", _one_of("auto", "always")),
    "address": ("", _address),
    "hosts": ("", _names),
    "proxy": ("", _networks),
    "proxy_header": ("", _header),
    "proxy_role": ("reader", _one_of("reader", "runner", "admin")),
}

assert set(_WEB_KEYS) == {field.name for field in dataclasses.fields(WebSettings)}
