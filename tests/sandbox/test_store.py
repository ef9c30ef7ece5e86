import json
import sqlite3

import pytest

from labkit.errors import SettingsError
from labkit.sandbox.store import Key, StorageFull, Store

KEY = Key("configmaps", "shop", "one")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


def put(store, key=KEY, **data):
    return store.put(key, {"metadata": {"name": key.name, "labels": {"n": key.name}}, "data": data})


def test_every_write_gets_the_next_revision(store):
    first, second = put(store, a="1"), put(store, a="2")
    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 1


def test_what_was_written_is_there_after_opening_the_file_again(tmp_path):
    store = Store(tmp_path / "state.db")
    written = put(store, a="1")
    store.close()
    again = Store(tmp_path / "state.db")
    assert again.get(KEY).decode() == written
    assert again.revision == int(written["metadata"]["resourceVersion"])
    again.close()


def test_a_list_is_sorted_by_namespace_and_name(store):
    for namespace, name in [("b", "x"), ("a", "y"), ("a", "x")]:
        put(store, Key("configmaps", namespace, name))
    assert [(key.namespace, key.name) for key, _ in store.list("configmaps")] == [
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
    ]
    assert [key.name for key, _ in store.list("configmaps", "a")] == ["x", "y"]
    assert [key.name for key, _ in store.list("configmaps", "a", after=("a", "x"))] == ["y"]


def test_a_list_can_be_read_as_it_was(store):
    put(store, a="1")
    then = store.revision
    put(store, a="2")
    put(store, Key("configmaps", "shop", "two"))
    [(key, entry)] = store.list_at("configmaps", "", then)
    assert (key, entry.decode()["data"]) == (KEY, {"a": "1"})


def test_subscribers_hear_of_each_write_in_order_and_after_it(store):
    heard = []
    store.subscribe(
        lambda change: heard.append((change.type, change.key.name, store.revision == change.revision))
    )
    put(store)
    put(store, a="1")
    store.delete(KEY)
    assert heard == [("ADDED", "one", True), ("MODIFIED", "one", True), ("DELETED", "one", True)]


def test_the_history_goes_on_where_a_reader_was(store):
    put(store)
    then = store.revision
    put(store, a="1")
    store.delete(KEY)
    assert [change.type for change in store.changes_since(then, "configmaps")] == ["MODIFIED", "DELETED"]


def test_a_history_that_is_compacted_away_is_an_error(tmp_path):
    store = Store(tmp_path / "state.db", history=4)
    for number in range(20):
        put(store, n=str(number))
    with pytest.raises(LookupError):
        store.changes_since(1, "configmaps")
    assert store.changes_since(store.revision - 2, "configmaps")
    store.close()


def test_a_full_disk_is_an_error_and_nothing_is_lost(store):
    put(store, a="1")
    heard = []
    store.subscribe(heard.append)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    before = store.revision
    with pytest.raises(StorageFull) as failed:
        put(store, a="x" * 200_000)
    assert failed.value.code == 507
    assert store.get(KEY).decode()["data"] == {"a": "1"}
    assert (store.revision, heard) == (before, [])
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert put(store, a="2")["data"] == {"a": "2"}


def test_a_file_from_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "state.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(SettingsError, match="format 99"):
        Store(path)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "state.db"
    path.write_text(json.dumps({"not": "a database"}) * 100)
    with pytest.raises(SettingsError, match="not a usable database"):
        Store(path)
