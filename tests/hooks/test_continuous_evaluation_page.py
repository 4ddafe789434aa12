"""The page about continuous evaluation: its commands exist, and its files for CI servers do what they say."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflows.commands import parser
from workflows.commits.runner import VARIABLES

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "continuous-evaluation.md").read_text()
COMMANDS = sorted(set(re.findall(r"^ *(?:- )?(parcours evaluate[^#|\n]*?)(?: *#.*| \|\|.*)?$", PAGE, re.MULTILINE)))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


GITHUB, GITLAB = (yaml.safe_load(block) for block in blocks("yaml"))
(JENKINS,) = blocks("groovy")
STEPS: list[dict[str, Any]] = GITHUB["jobs"]["evaluate"]["steps"]
(EVALUATE,) = (step["run"] for step in STEPS if "run" in step)
(IN_JENKINS,) = re.findall(r"'''(#!.*?)'''", JENKINS, re.DOTALL)


def uses(action: str) -> dict[str, Any]:
    (step,) = (step for step in STEPS if step.get("uses", "").startswith(f"{action}@"))
    return step


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_one(command: str) -> None:
    _, *words = shlex.split(command)
    assert parser().parse_args(words)


def test_the_page_shows_every_way_to_ask() -> None:
    assert len(COMMANDS) >= 12


def test_an_option_that_the_page_names_exists() -> None:
    helps = subprocess.run(
        ["bash", ROOT / "scripts" / "install-hooks", "--help"], capture_output=True, text=True
    ).stdout
    known = {word for words in COMMANDS for word in words.split() if word.startswith("--")} | set(
        re.findall(r"--[a-z]+", helps)
    )
    assert set(re.findall(r"`(?:[a-z/ -]* )?(--[a-z]+)", PAGE)) <= known


def test_the_page_names_every_variable_that_a_run_sees() -> None:
    assert [name for name in VARIABLES if f"`{name}`" not in PAGE] == []


def test_each_server_fetches_the_whole_history() -> None:
    assert uses("actions/checkout")["with"]["fetch-depth"] == 0
    assert GITLAB["evaluation"]["variables"]["GIT_DEPTH"] == "0"


def test_each_server_keeps_the_store_between_runs_also_after_a_bad_verdict() -> None:
    restored, saved = uses("actions/cache/restore"), uses("actions/cache/save")
    assert (
        restored["with"]["path"].split() == saved["with"]["path"].split() == GITLAB["evaluation"]["cache"]["paths"][:3]
    )
    assert restored["with"]["key"].startswith(restored["with"]["restore-keys"])
    assert saved["if"] == "always()"
    assert GITLAB["evaluation"]["cache"]["when"] == "always"


def test_each_server_keeps_the_page_also_after_a_bad_verdict() -> None:
    page = "data/store/evaluations/default"
    assert uses("actions/upload-artifact")["if"] == "always()"
    assert f"{page}/${{{{ env.COMMIT }}}}" in uses("actions/upload-artifact")["with"]["path"].splitlines()
    assert f"{page}/$CI_COMMIT_SHA" in GITLAB["evaluation"]["artifacts"]["paths"]
    assert GITLAB["evaluation"]["artifacts"]["when"] == "always"
    assert JENKINS.index("always {") < JENKINS.index("archiveArtifacts(")


def test_the_pipeline_of_jenkins_closes_what_it_opens() -> None:
    text = JENKINS.replace(IN_JENKINS, "")
    assert [text.count(mark) for mark in "{(["] == [text.count(mark) for mark in "})]"]


def _machine(folder: Path, code: int) -> dict[str, str]:
    """A checkout on a CI server where `parcours` ends with a code."""
    (folder / "scripts").mkdir()
    (folder / "scripts" / "environment").write_text(f'export PATH="{folder}/bin:$PATH"\n')
    command = folder / "bin" / "parcours"
    command.parent.mkdir()
    command.write_text(
        '#!/bin/sh\nstore=${PARCOURS_STORE:-data/store}\nmkdir -p "$store/evaluations/default/$2"\n'
        'echo page >"$store/evaluations/default/$2/evaluation.html"\n'
        f'echo "$@" >words\necho "<testsuite/>" >evaluation.xml\necho comment >evaluation.md\nexit {code}\n'
    )
    command.chmod(0o755)
    names = {"COMMIT": "c0ffee", "CI_COMMIT_SHA": "c0ffee", "GIT_COMMIT": "c0ffee"}
    places = {"HOME": str(folder), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    return {
        "PATH": os.defpath,
        **names,
        **places,
        "CI_JOB_URL": "https://ci/jobs/7",
        "BUILD_URL": "https://ci/builds/7/",
    }


def _ran(folder: Path, script: str, code: int) -> subprocess.CompletedProcess[str]:
    # The shells of all three are begun so.
    command = ["bash", *([] if script is IN_JENKINS else ["-e", "-o", "pipefail"]), "-c", script]
    return subprocess.run(command, cwd=folder, env=_machine(folder, code), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (2, 2), (3, 0), (4, 4)])
def test_github_fails_where_the_commit_is_worse_or_nothing_could_be_run(tmp_path: Path, code: int, ends: int) -> None:
    done = _ran(tmp_path, EVALUATE, code)
    assert done.returncode == ends, done.stderr
    assert ("::warning::" in done.stdout) == (code == 3)
    assert (tmp_path / "summary").read_text() == "comment\n"
    assert (tmp_path / "words").read_text() == "evaluate c0ffee --junit evaluation.xml --markdown evaluation.md\n"


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_gitlab_gets_the_exit_code_and_allows_that_nothing_was_measured(tmp_path: Path, code: int) -> None:
    assert _ran(tmp_path, "\n".join(GITLAB["evaluation"]["script"]), code).returncode == code
    link = "https://ci/jobs/7/artifacts/raw/data/store/evaluations/default/c0ffee"
    assert (tmp_path / "words").read_text().endswith(f"--link {link}\n")
    assert GITLAB["evaluation"]["allow_failure"]["exit_codes"] == 3


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_jenkins_gets_the_exit_code_and_the_page(tmp_path: Path, code: int) -> None:
    done = _ran(tmp_path, IN_JENKINS, code)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "evaluation" / "evaluation.html").read_text() == "page\n"
    assert (tmp_path / "parcours" / "store" / "evaluations").is_dir(), "kept for the next build"


AROUND = """<pre id="told"></pre><script>
const told = [], body = "<!-- marker -->\\nnew";
const require = () => ({ existsSync: () => true, readFileSync: () => body });
const context = { repo: { owner: "o", repo: "r" }, issue: { number: 5 } };
const issues = {
  listComments: "list",
  updateComment: async (words) => told.push(["update", words]),
  createComment: async (words) => told.push(["create", words]),
};
const github = { rest: { issues }, paginate: async () => COMMENTS };
(async () => { SCRIPT })().catch((error) => told.push(String(error))).then(() => {
  document.getElementById("told").textContent = JSON.stringify(told);
});
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """What runs the script of the comment; where it is missing the tests are skipped on a laptop, and fail in CI."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found and not os.environ.get("CI"):
        pytest.skip("no browser on this machine: install chromium")
    assert found, "no browser on this machine: .ci/run installs chromium"
    return found


@pytest.mark.parametrize(
    ("comments", "does", "number"),
    [
        ([], "create", {"issue_number": 5}),
        ([{"id": 1, "user": {"type": "Bot"}, "body": "other"}], "create", {"issue_number": 5}),
        ([{"id": 1, "user": {"type": "User"}, "body": "<!-- marker -->\nforged"}], "create", {"issue_number": 5}),
        ([{"id": 2, "user": {"type": "Bot"}, "body": "<!-- marker -->\nold"}], "update", {"comment_id": 2}),
        ([{"id": 1, "user": None, "body": None}, {"id": 3, "user": {"type": "Bot"}, "body": "<!-- marker -->"}],
         "update", {"comment_id": 3}),
    ],
)  # fmt: skip
def test_the_comment_on_github_is_updated_in_place(
    browser: str, tmp_path: Path, comments: list[Any], does: str, number: dict[str, int]
) -> None:
    script = uses("actions/github-script")["with"]["script"]
    page = (
        AROUND.replace("COMMENTS", json.dumps(comments))
        .replace("SCRIPT", script)
        .replace("const fs = require('fs')", "const fs = require()")
    )
    (tmp_path / "page.html").write_text(page.replace("<!-- marker -->", "\\u003c!-- marker --\\u003e"))
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    command = [browser, *options, "--virtual-time-budget=5000", "--dump-dom", (tmp_path / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    (told,) = re.findall(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert json.loads(html.unescape(told)) == [
        [does, {"owner": "o", "repo": "r", **number, "body": "<!-- marker -->\nnew"}]
    ]
