"""What the tests of the web page share: its application asked without a server, and projects that it shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from evaluated import Evaluated, evaluated
from flask.testing import FlaskClient
from reports_made import make_reports
from serving import Served, serve, within

from workflows.answers import found
from workflows.web.app import create_app


@pytest.fixture
def client(inside: Callable[[Any], None], small: Any) -> Iterator[FlaskClient]:
    """The application of the small project, in which the test then is."""
    inside(small)
    found._opened.cache_clear()
    with create_app().test_client() as client:
        yield client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Iterator[Served]:
    """The small project, served with everything, for the tests of a module."""
    place = make_small(tmp_path_factory.mktemp("served") / "small")
    found = serve(place)
    try:
        within(20, lambda: found.get("/healthz").status == 200)
        yield found
    finally:
        found.end()
    assert place.processes() == []


@pytest.fixture(scope="package")
def made(make_small: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small project with five reports, of which one failed; nobody changes it."""
    place = make_small(tmp_path_factory.mktemp("made") / "small")
    make_reports(place)
    return place


@pytest.fixture
def reports(inside: Callable[[Any], None], made: Any) -> Iterator[FlaskClient]:
    """The application of the project with reports."""
    inside(made)
    found._opened.cache_clear()
    with create_app().test_client() as client:
        yield client


@pytest.fixture
def own_reports(
    inside: Callable[[Any], None], made: Any, tmp_path: Path, enter_workplace: Callable[[Path], Any]
) -> Iterator[FlaskClient]:
    """The application of a copy of it, to change."""
    inside(enter_workplace(Path(shutil.copytree(made.folder, tmp_path / "copy"))))
    found._opened.cache_clear()
    with create_app().test_client() as client:
        yield client


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Evaluated:
    """A project with evaluated commits and reports, for tests that only read."""
    return evaluated(make_small(tmp_path_factory.mktemp("evaluated") / "project"))


@pytest.fixture
def reader(project: Evaluated, inside: Callable[[Any], None]) -> Iterator[FlaskClient]:
    """The application of the project with evaluated commits."""
    inside(project.place)
    found._opened.cache_clear()
    with create_app().test_client() as client:
        yield client
