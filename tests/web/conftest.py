"""What the tests of the web page share: the application of a project of its own, asked without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from workflows.answers import found
from workflows.web.app import create_app


@pytest.fixture
def client(inside: Callable[[Any], None], small: Any) -> Iterator[FlaskClient]:
    """The application of the small project, in which the test then is."""
    inside(small)
    found._opened.cache_clear()
    with create_app().test_client() as client:
        yield client
