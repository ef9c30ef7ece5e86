"""The kubelet."""


class _Nothing:
    def stop(self) -> None: ...


def start(client, clock, loop):  # type: ignore[no-untyped-def]
    return _Nothing()
