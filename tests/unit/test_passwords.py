"""Passwords of URLs are shown to nobody."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from workflows import settings
from workflows.data.database import connect
from workflows.errors import CatalogError, ParcoursError, SettingError, StoreError
from workflows.passwords import masked
from workflows.store.artefacts import Store
from workflows.store.catalog import Catalog
from workflows.store.files import ObjectStore

URLS = {
    "postgresql://me:s3cret@host/db": "postgresql://me:***@host/db",
    "postgresql+psycopg://me:s3cret@host:5432/db?a=b": "postgresql+psycopg://me:***@host:5432/db?a=b",
    "postgresql://me:s3cr:et@host/db": "postgresql://me:***@host/db",
    "postgresql://me:a/s3cret@host/db": "postgresql://me:***@host/db",
    "postgresql://me:a@s3cret@host/db": "postgresql://me:***@host/db",
    "postgresql://me:it's3cret@host/db": "postgresql://me:***@host/db",
    "redis://:s3cret@host": "redis://:***@host",
    "s3://me:s3cret@bucket/store": "s3://me:***@bucket/store",
    "postgresql:/me:s3cret@host/db": "postgresql:/me:***@host/db",
    "me:s3cret@host/db": "me:***@host/db",
    "postgresql://host/db?user=me&password=s3cret": "postgresql://host/db?user=me&password=***",
    "s3://bucket/store?aws_secret=s3cret&a=b": "s3://bucket/store?aws_secret=***&a=b",
}


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_masked_wherever_it_stands(url: str) -> None:
    assert masked(url) == URLS[url]
    assert masked(f"the place {url} is gone, and so is {url}.").startswith(f"the place {URLS[url]} is gone")
    assert "s3cret" not in masked(f"('{url}', \"{url}\")")


@pytest.mark.parametrize(
    "text",
    ["s3://bucket/a@b", "sqlite:////data/a:b@c.db", "http://localhost:8082/", "me@host.org", "token = 3", "a: b @ c"],
)
def test_what_holds_no_password_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("url", URLS)
def test_no_error_shows_one(url: str) -> None:
    errors: list[ParcoursError] = [
        StoreError.refused(url, f"{url} is gone"),
        CatalogError.unusable(url, url),
        SettingError.wrong("store", "luigi.cfg", url, "something else"),
    ]
    assert not [error for error in errors if "s3cret" in f"{error} {error!r} {error.message} {error.args}"]


@pytest.mark.parametrize("url", [url for url in URLS if url.startswith("postgresql")])
def test_neither_a_database_nor_a_catalog_shows_one(url: str) -> None:
    assert connect(url).place == Catalog(url).place == URLS[url]


def test_a_store_shows_none(tmp_path: Path) -> None:
    root = uuid.uuid4().hex
    place = ObjectStore(f"memory://me:s3cret@{root}/store", tmp_path)
    assert place.shown("a") == f"memory://me:***@{root}/store/a"
    assert place.location == f"memory://me:***@{root}/store"
    store = Store.at(f"memory://me:s3cret@{root}/store", tmp_path, f"sqlite:///{tmp_path}/catalog.db")
    assert store.link("a") == f"memory://me:***@{root}/store/a"
    store.index.reindex()
    assert b"s3cret" not in (tmp_path / "catalog.db").read_bytes()


def test_what_is_no_store_shows_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nosuch://me:\*\*\*@bucket"):
        Store.at("nosuch://me:s3cret@bucket", tmp_path)


@pytest.mark.parametrize("key", ["STORE", "CATALOG", "DATABASE", "CACHE"])
def test_a_setting_that_is_wrong_shows_none(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, f"PARCOURS_{key}X", "postgresql://me:s3cret@host")
    with pytest.raises(SettingError) as caught:
        settings.load()
    assert "s3cret" not in str(caught.value)
