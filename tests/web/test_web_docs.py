"""The page about the web page, and its examples: their commands, options and settings are those that there are."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflows.commands import parser
from workflows.settings import _WEB_KEYS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "web.md").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DOCS / "examples" / "compose.yaml").read_text())
TYPED = re.findall(r"^(parcours [^#\n]+?)(?: +#.*)?$", PAGE, re.MULTILINE)


def unit() -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[method-assign,assignment]
    found.read(DOCS / "examples" / "parcours.service")
    return found


def in_comments() -> list[str]:
    text = (DOCS / "examples" / "compose.yaml").read_text()
    return re.findall(r"^# +docker compose run --rm parcours (parcours .*)$", text, re.MULTILINE)


COMMANDS = [*TYPED, *in_comments(), unit()["Service"]["ExecStart"], COMPOSE["services"]["parcours"]["command"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists_with_its_options(command: str) -> None:
    program, *words = shlex.split(command)
    assert Path(program).name == "parcours"
    assert parser().parse_args(words).command


def test_the_page_and_the_unit_were_read() -> None:
    assert len(TYPED) >= 7
    assert len(in_comments()) == 1


@pytest.mark.parametrize("block", re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL))
def test_every_setting_that_is_shown_is_one(block: str) -> None:
    config = configparser.ConfigParser()
    config.read_string(block)
    for key, value in config["web"].items():
        _WEB_KEYS[key][1](value, key, "docs/web.md")


def test_the_table_of_settings_has_them_all() -> None:
    table = PAGE.partition("## Settings")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(_WEB_KEYS)


def test_the_examples_wait_as_long_as_the_parts_may_take_to_end() -> None:
    from workflows.web.serving.supervisor import _PATIENCE

    assert float(unit()["Service"]["TimeoutStopSec"]) > 3 * _PATIENCE
    assert float(COMPOSE["services"]["parcours"]["stop_grace_period"].rstrip("s")) > 3 * _PATIENCE


def test_the_proxy_of_the_compose_file_is_where_its_first_lines_say() -> None:
    text = (DOCS / "examples" / "compose.yaml").read_text()
    [stated] = re.findall(r"`proxy = ([\d.]+)`", text)
    assert COMPOSE["services"]["caddy"]["networks"]["inside"]["ipv4_address"] == stated
