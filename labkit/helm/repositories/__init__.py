"""Where charts come from: HTTP repositories and OCI registries, which are other people's servers.

What comes from them is bounded, checked against its digest and looked through before it is kept. The credential
goes to the server that it is for and to no other, and is in no message.
"""

from labkit.helm.repositories.access import Access
from labkit.helm.repositories.book import NamedRepository, RepositoryBook
from labkit.helm.repositories.index import ChartVersion
from labkit.helm.repositories.indexing import write_index
from labkit.helm.repositories.repository import ChartRepository, unpack

__all__ = [
    "Access",
    "ChartRepository",
    "ChartVersion",
    "NamedRepository",
    "RepositoryBook",
    "unpack",
    "write_index",
]
