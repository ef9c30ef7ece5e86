"""What the simulated nodes can run: for each known image a small class that behaves like it.

Nothing here runs a program on the host. A container of an image is a `Program`: it writes log lines, answers HTTP,
and ends when its kind of program would; its ``run`` is a generator whose every ``yield`` says how long nothing
happens. To add an image, write such a class in this folder and name it in `catalogue`.

Which images exist (and so can be pulled) is decided in `registries`, by a table and a few rules that stand there.
"""

from labkit.sandbox.images.catalogue import Image, Unpullable, find, listing
from labkit.sandbox.images.http import Answer, Network, NoSuchHost, Request
from labkit.sandbox.images.program import FOREVER, Program, Setting, Usage

__all__ = [
    "FOREVER", "Answer", "Image", "Network", "NoSuchHost", "Program", "Request", "Setting", "Unpullable", "Usage",
    "find", "listing",
]  # fmt: skip
