"""What luigi.cfg and the environment may say, and what they may not."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path

import pytest
from luigi.configuration import LuigiConfigParser

from workflows import settings
from workflows.errors import SettingError
from workflows.settings import Settings

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Reads the settings from a luigi.cfg with these lines in [workflows]."""
    for name in os.environ:
        if name.startswith(("PARCOURS_", "LUIGI_")):
            monkeypatch.delenv(name)

    def read(*lines: str, before: str = "") -> Settings:
        (tmp_path / "luigi.cfg").write_text("\n".join([before, "[workflows]", *lines]) + "\n")
        monkeypatch.setattr(LuigiConfigParser, "_instance", None)
        return settings.load()

    monkeypatch.chdir(tmp_path)
    return read


def test_without_a_file_every_key_has_its_default(load: Load, tmp_path: Path) -> None:
    assert asdict(load()) == {
        "root": tmp_path,
        "pipelines": ("workflows.flights",),
        "store": str(tmp_path / "data/store"),
        "catalog": f"sqlite:///{tmp_path}/data/catalog.db",
        "cache": tmp_path / "data/cache",
        "web": tmp_path / "data/web",
        "templates": tmp_path / "templates",
        "database": f"sqlite:///{tmp_path}/data/nyc.db",
        "dataset": None,
        "cell_timeout": 600.0,
        "report_timeout": 3600.0,
        "code": False,
        "warm_kernels": True,
    }


GIVEN = [
    ("pipelines", "acme, acme.more", ("acme", "acme.more")),
    ("store", "s3://bucket/store", "s3://bucket/store"),
    ("store", "/elsewhere", "/elsewhere"),
    ("catalog", "sqlite:////elsewhere.db", "sqlite:////elsewhere.db"),
    ("catalog", "postgresql://u@h/d", "postgresql://u@h/d"),
    ("cache", "/elsewhere", Path("/elsewhere")),
    ("templates", "/elsewhere", Path("/elsewhere")),
    ("database", "postgresql://u@h/d", "postgresql://u@h/d"),
    ("database", "sqlite:////elsewhere.db", "sqlite:////elsewhere.db"),
    ("database", "sqlite:///:memory:", "sqlite:///:memory:"),
    ("dataset", "new-york-2013", "new-york-2013"),
    ("dataset", "none", None),
    ("dataset", "", None),
    ("cell_timeout", "0.5", 0.5),
    ("report_timeout", "0", None),
    ("code", "shown", True),
    ("warm_kernels", "false", False),
]


@pytest.mark.parametrize(("key", "text", "value"), GIVEN)
def test_the_file_sets_every_key(load: Load, key: str, text: str, value: object) -> None:
    assert getattr(load(f"{key} = {text}"), key) == value


@pytest.mark.parametrize(("key", "text", "value"), GIVEN)
def test_the_environment_wins_over_the_file(
    load: Load, monkeypatch: pytest.MonkeyPatch, key: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"PARCOURS_{key.upper()}", text)
    in_file = {"pipelines": "other", "database": "x://y", "catalog": "x://y", "code": "hidden"}.get(key, "7")
    assert getattr(load(f"{key} = {in_file}"), key) == value


def test_the_example_file_explains_every_key_and_gives_the_defaults(load: Load, tmp_path: Path) -> None:
    defaults = load()
    shipped = (Path(settings.__file__).parents[1] / "luigi.cfg").read_text().partition("\n[workflows]\n")[2]
    (section, _, _) = shipped.partition("\n[")
    assert {line.partition(" =")[0] for line in section.splitlines() if " = " in line} == set(settings._KEYS)
    assert load(*section.splitlines()) == defaults


def test_relative_paths_start_at_the_folder_of_luigi_cfg(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("store = s", "cache = c", "templates = t", "database = sqlite:///d.db", "catalog = sqlite:///c.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("LUIGI_CONFIG_PATH", "../luigi.cfg")
    monkeypatch.setattr(LuigiConfigParser, "_instance", None)
    monkeypatch.setattr(LuigiConfigParser, "_config_paths", [str(tmp_path / "luigi.cfg")])
    found = settings.load()
    assert found.root == tmp_path
    assert (found.store, found.cache, found.templates) == (str(tmp_path / "s"), tmp_path / "c", tmp_path / "t")
    assert found.database == f"sqlite:///{tmp_path}/d.db"
    assert found.catalog == f"sqlite:///{tmp_path}/c.db"


def test_an_unknown_key_of_the_file_is_named_with_the_nearest(load: Load) -> None:
    with pytest.raises(
        SettingError, match=r"luigi\.cfg, \[workflows\] has an unknown key 'stor'.*Did you mean 'store'"
    ):
        load("stor = x")


def test_an_unknown_variable_of_the_environment_is_named_with_the_nearest(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARCOURS_CELLTIMEOUT", "3")
    with pytest.raises(SettingError, match=r"'PARCOURS_CELLTIMEOUT'.*Did you mean 'PARCOURS_CELL_TIMEOUT'"):
        load()


WRONG = [
    ("pipelines", "", "module names"),
    ("pipelines", "a b", "module names"),
    ("pipelines", "a..b", "module names"),
    ("pipelines", "../acme", "module names"),
    ("store", " ", "not empty"),
    ("catalog", "catalog.db", "SQLAlchemy URL"),
    ("cache", "", "not empty"),
    ("templates", "", "not empty"),
    ("database", "nyc.db", "SQLAlchemy URL"),
    ("cell_timeout", "soon", "number of seconds"),
    ("cell_timeout", "-1", "number of seconds"),
    ("cell_timeout", "nan", "number of seconds"),
    ("report_timeout", "inf", "number of seconds"),
    ("code", "yes", "'hidden' or 'shown'"),
    ("warm_kernels", "yes", "'true' or 'false'"),
]


@pytest.mark.parametrize(("key", "text", "expected"), WRONG)
def test_a_wrong_value_names_key_place_value_and_what_was_expected(
    load: Load, key: str, text: str, expected: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load(f"{key} = {text}")
    assert str(caught.value).startswith(f"'{key}' in luigi.cfg, [workflows] is {text.strip()!r}; expected ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(("key", "text", "expected"), WRONG)
def test_a_wrong_variable_names_the_variable(
    load: Load, monkeypatch: pytest.MonkeyPatch, key: str, text: str, expected: str
) -> None:
    monkeypatch.setenv(f"PARCOURS_{key.upper()}", text)
    with pytest.raises(SettingError) as caught:
        load()
    assert f"the environment variable PARCOURS_{key.upper()} is {text!r}; expected" in str(caught.value)


def test_a_percent_sign_that_luigi_cannot_read_is_explained(load: Load) -> None:
    """A password in a URL is often written with %40; in luigi.cfg a percent sign is doubled."""
    with pytest.raises(SettingError, match=r"'database' in luigi.cfg, \[workflows\].*%%"):
        load("database = postgresql://u:p%40@h/d")
    assert load("database = postgresql://u:p%%40@h/d").database == "postgresql://u:p%40@h/d"


def test_a_bad_value_with_a_password_does_not_show_it(load: Load) -> None:
    with pytest.raises(SettingError) as caught:
        load("database = postgresql:/u:secret@h/d")
    assert "secret" not in str(caught.value)


def test_keys_of_the_default_section_are_for_others(load: Load) -> None:
    assert load("code = shown", before="[DEFAULT]\nregion = eu").code is True


def test_a_key_that_the_default_section_has_too_counts(load: Load) -> None:
    assert load("code = shown", before="[DEFAULT]\ncode = hidden").code is True


def test_settings_cannot_be_changed(load: Load) -> None:
    with pytest.raises(FrozenInstanceError):
        load().store = "other"  # type: ignore[misc]


def test_who_uses_the_web_page_is_said_in_a_section_of_its_own(load: Load) -> None:
    load(before="[web]\nproxy = 10.0.0.5, 10.1.0.0/16\nproxy_role = runner\naddress = https://reports.example.org/\n")
    found = settings.load_web()
    assert [str(network) for network in found.proxy] == ["10.0.0.5/32", "10.1.0.0/16"]
    assert (found.proxy_role, found.address, found.sign_in) == ("runner", "https://reports.example.org", "auto")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("proxies = 10.0.0.5", "has an unknown key 'proxies'. Known keys: .* Did you mean 'proxy'?"),
        ("proxy = reports", "'proxy' in luigi.cfg, .web. is 'reports'; expected addresses or networks"),
        ("proxy_role = boss", "expected 'reader' or 'runner' or 'admin'"),
        ("sign_in = no", "expected 'auto' or 'always'"),
        ("address = reports.example.org", "expected how people reach the page, such as https://"),
        ("hosts = a b", "expected names of hosts"),
        ("proxy_header = X_User", "expected the name of a header"),
    ],
)
def test_a_wrong_word_about_the_web_page_is_refused(load: Load, line: str, told: str) -> None:
    load(before=f"[web]\n{line}\n")
    with pytest.raises(SettingError, match=told):
        settings.load_web()
