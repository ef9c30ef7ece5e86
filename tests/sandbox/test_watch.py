"""A watch's lines, as the server sends them."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from labkit.sandbox.apiserver.requests import ListOptions
from labkit.sandbox.apiserver.resources import Resource
from labkit.sandbox.apiserver.selection import Selection
from labkit.sandbox.apiserver.watch import Watch
from labkit.sandbox.store import Key, Store

CONFIG_MAPS = Resource(
    "", "v1", "ConfigMap", "configmaps", "configmap", namespaced=True, model=None, storage="configmaps"
)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


def put(store, name):
    store.put(Key("configmaps", "shop", name), {"metadata": {"name": name, "namespace": "shop"}})


def names(lines):
    return [orjson.loads(line)["object"]["metadata"]["name"] for line in lines.splitlines()]


def test_what_happens_while_lines_are_being_sent_is_told_next_and_not_with_what_happens_after_it(store):
    async def watched():
        options = ListOptions(resource_version=str(store.revision))
        selection = Selection(CONFIG_MAPS, "shop", options)
        watch = Watch(store, CONFIG_MAPS, selection, options, lambda value: value)
        lines = aiter(watch)
        put(store, "first")
        found = names(await anext(lines))
        put(store, "second")  # whoever sends the first has not come back for more
        found += names(await asyncio.wait_for(anext(lines), 5))
        put(store, "third")
        watch.close()
        found += names(await anext(lines))
        assert [line async for line in lines] == []
        return found

    assert asyncio.run(watched()) == ["first", "second", "third"]
