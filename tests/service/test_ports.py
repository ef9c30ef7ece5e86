from __future__ import annotations

import socket

import pytest

from labkit.errors import PortTaken
from labkit.service.ports import listen


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_port_of_last_time_is_used_again():
    first = listen()
    port = first.getsockname()[1]
    first.close()
    with listen(port) as again:
        assert again.getsockname() == ("127.0.0.1", port)


def test_a_taken_port_makes_way_for_a_free_one(taken):
    with listen(taken) as other:
        assert other.getsockname()[1] not in (0, taken)


def test_a_port_that_a_person_asked_for_is_not_replaced(taken):
    with pytest.raises(PortTaken) as caught:
        listen(taken, only=True)
    assert caught.value.where == f"127.0.0.1:{taken}"
    assert "free one" in caught.value.fix
