"""Signing in: who is let in, for how long, where to, and how often somebody may try."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from serving import Browser, Served, serve, within

from workflows.errors import AccountError
from workflows.web.app import create_app
from workflows.web.people import accounts as kept
from workflows.web.people.accounts import Accounts, TooMany

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Iterator[Served]:
    """The small project, served to people who sign in, without a worker."""
    place = make_small(tmp_path_factory.mktemp("guarded") / "small")
    people = Accounts(place.folder / "data" / "web")
    for role in ("reader", "runner", "admin"):
        people.add(f"{role}.one", role, PASSWORD)
    found = serve(place, "--no-worker", "--no-scheduler", sign_in="always")
    try:
        within(20, lambda: found.get("/sign-in").status == 200)
        yield found
    finally:
        found.end()
    assert place.processes() == []


@pytest.fixture
def people(guarded: Served) -> Accounts:
    return Accounts(guarded.place.folder / "data" / "web")


@pytest.fixture
def somebody(people: Accounts) -> Iterator[str]:
    """An account for one test, whose tries are forgotten."""
    people.add("somebody", "reader", PASSWORD)
    yield "somebody"
    if people.find("somebody"):
        people.remove("somebody")
    with closing(sqlite3.connect(people.folder / "people.db")) as connection, connection:
        connection.execute("DELETE FROM tries")


def signed_in(guarded: Served, name: str) -> Browser:
    browser = guarded.browser()
    assert browser.sign_in(name, PASSWORD).status == 303
    return browser


def test_without_a_session_there_is_the_form_and_nothing_else(guarded: Served) -> None:
    answer = guarded.get("/people?a=1")
    assert (answer.status, answer.headers["Location"]) == (302, "/sign-in?next=/people?a%3D1")
    assert guarded.get("/people", Accept="application/json").status == 401
    assert guarded.browser().ask("POST", "/people/add", "name=x").status in (400, 401)
    assert guarded.get("/scheduler/static/visualiser/index.html").status == 302
    assert (guarded.get("/sign-in").status, guarded.get("/static/parcours.css").status) == (200, 200)
    assert guarded.get("/healthz").status in (200, 503)


def test_the_right_password_lets_somebody_in_and_on_to_where_they_were_going(guarded: Served, somebody: str) -> None:
    browser = guarded.browser()
    answer = browser.sign_in(somebody, PASSWORD, next="/people?x=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/people?x=1")
    page = browser.get("/nothing")
    assert (page.status, somebody in page.text, "Sign out" in page.text) == (404, True, True)


@pytest.mark.parametrize("name", ["somebody", "nobody"])
def test_a_wrong_name_and_a_wrong_password_look_the_same(guarded: Served, somebody: str, name: str) -> None:
    answer = guarded.browser().sign_in(name, "wrong password")
    assert (answer.status, "The name or the password is wrong." in answer.text) == (401, True)


NEXTS = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil",
    "javascript:alert(1)",
    "/\t/evil.example",
    "///e",
    " /x",
]


@pytest.mark.parametrize("following", NEXTS)
def test_signing_in_leads_to_no_other_page(guarded: Served, somebody: str, following: str) -> None:
    assert guarded.browser().sign_in(somebody, PASSWORD, next=following).headers["Location"] == "/"


def test_a_session_from_before_signing_in_is_none_after(guarded: Served, somebody: str) -> None:
    browser = guarded.browser()
    browser.get("/sign-in")
    planted = dict(browser.cookies)
    assert planted
    browser.sign_in(somebody, PASSWORD)
    assert browser.cookies != planted
    assert Browser(guarded.url, planted).get("/nothing").status == 302


def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(guarded: Served, somebody: str) -> None:
    browser = signed_in(guarded, somebody)
    kept_by_thief = Browser(guarded.url, dict(browser.cookies))
    answer = browser.post("/sign-out", "/nothing")
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert kept_by_thief.get("/nothing").status == 302


@pytest.mark.parametrize("change", ["password", "remove"])
def test_a_new_password_and_a_removal_end_the_sessions_at_once(
    guarded: Served, people: Accounts, somebody: str, change: str
) -> None:
    browser = signed_in(guarded, somebody)
    people.set_password(somebody, f"{PASSWORD} 2") if change == "password" else people.remove(somebody)
    assert browser.get("/nothing").status == 302


def test_people_change_their_own_password_with_the_old_one(guarded: Served, somebody: str) -> None:
    browser = signed_in(guarded, somebody)
    wrong = browser.post("/password", "/password", old="not it at all", new=f"{PASSWORD} 2")
    assert (wrong.status, "the old password is wrong" in wrong.text) == (400, True)
    assert browser.post("/password", "/password", old=PASSWORD, new="short").status == 400
    assert browser.post("/password", "/password", old=PASSWORD, new=f"{PASSWORD} 2").headers["Location"] == "/sign-in"
    assert browser.get("/nothing").status == 302
    assert guarded.browser().sign_in(somebody, PASSWORD).status == 401
    assert guarded.browser().sign_in(somebody, f"{PASSWORD} 2").status == 303


def test_another_role_counts_from_the_next_request_on(guarded: Served, people: Accounts, somebody: str) -> None:
    browser = signed_in(guarded, somebody)
    assert browser.get("/people").status == 403
    people.set_role(somebody, "admin")
    assert browser.get("/people").status == 200


def test_a_form_without_its_token_is_refused(guarded: Served) -> None:
    browser = signed_in(guarded, "admin.one")
    answer = browser.ask("POST", "/people/add", "name=mallory&role=admin&password=0123456789ab")
    assert (answer.status, "This form is not from this page" in answer.text) == (400, True)


def test_a_token_of_somebody_elses_session_is_refused(guarded: Served) -> None:
    browser = signed_in(guarded, "admin.one")
    stranger = guarded.browser()
    page = stranger.get("/sign-in").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert browser.ask("POST", "/sign-out", f"csrf_token={token}").status == 400


def test_cookies_are_not_for_scripts_nor_for_other_sites(guarded: Served, somebody: str) -> None:
    cookie = guarded.browser().sign_in(somebody, PASSWORD).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_too_many_tries_of_a_name_are_refused_by_all_processes(guarded: Served, somebody: str) -> None:
    statuses = [guarded.browser().sign_in(somebody, "wrong password").status for _ in range(kept.TRIES_OF_NAME + 1)]
    assert statuses == [401] * kept.TRIES_OF_NAME + [429]
    # Also with the right password: or it could be guessed on.
    answer = guarded.browser().sign_in(somebody, PASSWORD)
    assert (answer.status, "Try again in 15 minutes." in answer.text) == (429, True)


def test_readers_and_runners_do_not_say_who_may_what(guarded: Served) -> None:
    assert [signed_in(guarded, f"{role}.one").get("/people").status for role in ("reader", "runner", "admin")] == [
        403,
        403,
        200,
    ]


def test_the_scheduler_is_read_by_everybody_and_changed_by_administrators(guarded: Served) -> None:
    """It does not run here: who is let through is told so."""

    def statuses(call: str) -> list[int]:
        ours = {"X_Requested_With": "XMLHttpRequest", "Sec_Fetch_Site": "same-origin"}
        people = [guarded.browser(), *(signed_in(guarded, f"{role}.one") for role in ("reader", "runner", "admin"))]
        return [browser.ask("GET", f"/scheduler/api/{call}", **ours).status for browser in people]

    assert statuses("task_list") == [401, 503, 503, 503]
    assert statuses("pause") == [401, 403, 403, 503]
    assert statuses("add_task") == [401, 404, 404, 404]


def test_administrators_add_change_and_remove_people_but_not_themselves(guarded: Served, people: Accounts) -> None:
    admin = signed_in(guarded, "admin.one")
    assert admin.post("/people/add", "/people", name="new", role="reader", password="short").status == 303
    assert "the password is too short" in admin.get("/people").text
    admin.post("/people/add", "/people", name="new", role="reader", password=PASSWORD)
    admin.post("/people/new/role", "/people", role="runner")
    assert people.find("new") == kept.Account("new", "runner")
    assert admin.post("/people/new/role", "/people", role="king").status == 400
    assert admin.post("/people/new/remove", "/people").status == 303
    assert people.find("new") is None
    assert admin.post("/people/admin.one/remove", "/people").status == 409


def test_tries_of_an_address_are_counted_over_all_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_is_right", lambda stored, password: False)
    people = Accounts(tmp_path)
    found = [people.sign_in(f"name{number}", "x", "192.0.2.1") for number in range(kept.TRIES_OF_ADDRESS + 1)]
    assert found[:-1] == [None] * kept.TRIES_OF_ADDRESS
    assert isinstance(found[-1], TooMany)
    assert people.sign_in("name", "x", "192.0.2.2") is None


@pytest.mark.parametrize(("column", "age"), [("seen", kept.IDLE), ("made", kept.OLDEST)])
def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(tmp_path: Path, column: str, age: float) -> None:
    people = Accounts(tmp_path)
    people.add("ann", "reader", PASSWORD)
    token = people.sign_in("ann", PASSWORD, "192.0.2.1")
    assert isinstance(token, str)
    assert people.of_session(token) == kept.Account("ann", "reader")
    with closing(sqlite3.connect(tmp_path / "people.db")) as connection, connection:
        connection.execute(f"UPDATE sessions SET {column} = ?", (time.time() - age - 1,))
    assert people.of_session(token) is None


def test_neither_passwords_nor_tokens_can_be_read_from_the_file(tmp_path: Path) -> None:
    people = Accounts(tmp_path)
    people.add("ann", "reader", PASSWORD)
    token = people.sign_in("ann", PASSWORD, "192.0.2.1")
    assert isinstance(token, str)
    data = b"".join(path.read_bytes() for path in tmp_path.glob("people.db*"))
    assert PASSWORD.encode() not in data
    assert token.encode() not in data
    assert (tmp_path / "people.db").stat().st_mode & 0o077 == 0


def test_a_hash_of_weaker_settings_is_made_anew_at_the_next_sign_in(tmp_path: Path) -> None:
    from argon2 import PasswordHasher

    people = Accounts(tmp_path)
    people.add("ann", "reader", PASSWORD)
    with closing(sqlite3.connect(tmp_path / "people.db")) as connection, connection:
        connection.execute(
            "UPDATE accounts SET hash = ?", (PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD),)
        )
    assert isinstance(people.sign_in("ann", PASSWORD, "192.0.2.1"), str)
    with closing(sqlite3.connect(tmp_path / "people.db")) as connection:
        [[stored]] = connection.execute("SELECT hash FROM accounts")
    assert not PasswordHasher().check_needs_rehash(stored)


def test_an_unknown_name_takes_as_long_as_a_wrong_password(tmp_path: Path) -> None:
    people = Accounts(tmp_path)
    people.add("ann", "reader", PASSWORD)
    people.sign_in("nobody", "x", "192.0.2.1")

    def seconds(name: str) -> float:
        begun = time.process_time()
        people.sign_in(name, "wrong password", "192.0.2.1")
        return time.process_time() - begun

    known, unknown = (sorted(seconds(name) for _ in range(5))[2] for name in ("ann", "nobody"))
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize("name", ["", "a b", "../x", "<b>", "a" * 65, "a\nb", "ä"])
def test_names_that_could_be_taken_for_something_else_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AccountError, match="is no name for an account"):
        Accounts(tmp_path).add(name, "reader", PASSWORD)


def test_names_are_the_same_however_they_are_capitalised(tmp_path: Path) -> None:
    people = Accounts(tmp_path)
    people.add("Ann", "reader", PASSWORD)
    with pytest.raises(AccountError, match="there is an account"):
        people.add("ann", "admin", PASSWORD)
    assert isinstance(people.sign_in("ANN", PASSWORD, "192.0.2.1"), str)


def test_on_loopback_nobody_signs_in(client: FlaskClient) -> None:
    assert client.get("/people").status_code == 200
    assert client.get("/sign-in").status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_on_loopback_nobody_is_let_in_through_a_proxy_that_was_not_stated(client: FlaskClient, header: str) -> None:
    assert client.get("/people", headers={header: "192.0.2.1"}).status_code == 403


def test_on_loopback_another_machine_is_nobody(client: FlaskClient) -> None:
    assert client.get("/people", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8090",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::2]",
        "[",
        "::1",
        "a@127.0.0.1",
        "",
    ],
)
def test_a_name_that_is_not_ours_is_refused(client: FlaskClient, host: str) -> None:
    """Somebody else's name that leads here: their page could read ours."""
    answer = client.get("/people", headers={"Host": host})
    assert (answer.status_code, "Add somebody" in answer.text) == (400, False)


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8090", "127.0.0.1:8090", "[::1]:8090", "[::1]"])
def test_our_own_names_are_answered_to(client: FlaskClient, host: str) -> None:
    """However they are spelled."""
    assert client.get("/people", headers={"Host": host}).status_code == 200


@pytest.fixture
def behind(inside: Callable[[Any], None], small: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FlaskClient]:
    """The application as it is behind a proxy at 10.0.0.5."""
    from luigi.configuration import LuigiConfigParser

    def made(**more: str) -> FlaskClient:
        config = small.folder / "luigi.cfg"
        lines = {"proxy": "10.0.0.5", "proxy_header": "X-Forwarded-User", **more}
        text = "".join(f"{key} = {value}\n" for key, value in lines.items())
        config.write_text(config.read_text().replace("[web]\n", f"[web]\n{text}"))
        inside(small)
        monkeypatch.setattr(LuigiConfigParser, "_instance", None)
        return create_app("127.0.0.1").test_client()

    return made


def through(client: FlaskClient, path: str, peer: str = "10.0.0.5", **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers={"Accept": "text/html", **given}, environ_base={"REMOTE_ADDR": peer})


def test_a_trusted_proxy_says_who_somebody_is(behind: Callable[..., FlaskClient], small: Any) -> None:
    client = behind(proxy_role="runner")
    Accounts(small.folder / "data" / "web").add("root.ann", "admin", PASSWORD)
    assert "bob" in through(client, "/nothing", X_Forwarded_User="bob").text
    assert through(client, "/people", X_Forwarded_User="bob").status_code == 403
    assert through(client, "/people", X_Forwarded_User="root.ann").status_code == 200


@pytest.mark.parametrize("peer", ["10.0.0.6", "127.0.0.1", "::1", "192.0.2.1"])
def test_nobody_else_says_who_they_are(behind: Callable[..., FlaskClient], peer: str) -> None:
    client = behind(proxy_role="admin")
    answer = through(client, "/people", peer, X_Forwarded_User="root", X_Forwarded_For="10.0.0.5")
    assert (answer.status_code, "Nobody can sign in here" in answer.text) == (403, True)


def test_a_proxy_that_was_not_said_to_name_people_names_nobody(behind: Callable[..., FlaskClient]) -> None:
    assert through(behind(proxy_header="", proxy_role="admin"), "/people", X_Forwarded_User="bob").status_code == 403


@pytest.mark.parametrize(
    "line", [{"address": "https://reports.example.org"}, {"hosts": "reports"}, {"proxy": "127.0.0.1"}]
)
def test_a_page_that_others_reach_by_way_of_this_machine_refuses_to_start_without_people(
    small: Any, line: dict[str, str]
) -> None:
    config = small.folder / "luigi.cfg"
    text = "".join(f"{key} = {value}\n" for key, value in line.items())
    config.write_text(config.read_text().replace("[web]\n", f"[web]\n{text}"))
    done = small.run("parcours", "serve", "--port", "0", "--no-worker", "--no-scheduler")
    assert (done.code, "nobody can sign in" in done.err) == (2, True)


@pytest.mark.parametrize("name", ["", "<script>", "a, b", "ä", "a b"])
def test_a_name_of_the_proxy_that_is_none_is_refused(behind: Callable[..., FlaskClient], name: str) -> None:
    assert through(behind(proxy_role="admin"), "/people", X_Forwarded_User=name).status_code == 403


def test_cookies_are_for_encrypted_connections_where_the_page_is_reached_by_such(
    behind: Callable[..., FlaskClient], small: Any
) -> None:
    client = behind(hosts="reports.example.org")
    Accounts(small.folder / "data" / "web").add("ann", "admin", PASSWORD)
    assert "Secure" in through(client, "/sign-in", X_Forwarded_Proto="https").headers["Set-Cookie"]
    # A stranger's word for it does not count.
    other = client.application.test_client()
    assert "Secure" not in through(other, "/sign-in", "10.0.0.9", X_Forwarded_Proto="https").headers["Set-Cookie"]


def test_opened_to_others_it_refuses_to_start_without_anybody_who_could_sign_in(small: Any) -> None:
    done = small.run("parcours", "serve", "--host", "0.0.0.0", "--port", "0", "--no-worker", "--no-scheduler")
    assert (done.code, done.out) == (2, "")
    assert "nobody can sign in. Add people with `parcours user add NAME --role admin`" in done.err


def test_opened_to_others_everybody_signs_in_also_here(small: Any) -> None:
    Accounts(small.folder / "data" / "web").add("ann", "admin", PASSWORD)
    found = serve(small, "--host", "0.0.0.0", "--no-worker", "--no-scheduler")
    try:
        assert within(20, lambda: found.get("/people")).status == 302
        assert signed_in(found, "ann").get("/people").status == 200
    finally:
        found.end()


def test_the_command_adds_lists_changes_and_removes_people(
    small: Any, capsys: Any, inside: Any, monkeypatch: Any
) -> None:
    import io

    from workflows.cli import main

    inside(small)

    def user(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["user", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    assert user("list") == (0, "nobody\n", "")
    assert user("add", "ann", "--role", "admin", "--password-stdin", typed=f"{PASSWORD}\n") == (0, "ann  admin\n", "")
    assert user("role", "ann", "--role", "reader") == (0, "ann  reader\n", "")
    assert user("add", "ann", "--role", "reader", "--password-stdin", typed=f"{PASSWORD}\n")[0] == 2
    assert "there is no terminal" in user("password", "ann")[2]
    assert "there is no account 'an'. Accounts: ann. Did you mean 'ann'?" in user("remove", "an")[2]
    assert "too short" in user("password", "ann", "--password-stdin", typed="short\n")[2]
    assert user("remove", "ann") == (0, "nobody\n", "")
