"""In which form the client wants its answer: JSON or YAML; the object, a table, or its metadata alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from labkit.errors import NotAcceptable
from labkit.sandbox.apiserver import problems

TABLE, METADATA, METADATA_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"

_AVAILABLE: Final = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True, slots=True)
class Form:
    """How to answer: `transform` is "", Table, PartialObjectMetadata or PartialObjectMetadataList."""

    yaml: bool = False
    transform: str = ""
    discovery: str = ""  # the version of the aggregated discovery documents, "" for the plain ones

    @property
    def content_type(self) -> str:
        """The answer's media type."""
        return "application/yaml" if self.yaml else "application/json"


PLAIN: Final = Form()


@lru_cache(maxsize=256)
def accepted(accept: str) -> Form:
    """The first form in the Accept header that the server has.  Raises `NotAcceptable`."""
    if not accept:
        return PLAIN
    for clause in accept.split(","):
        media_type, _, rest = clause.strip().partition(";")
        parameters = dict(_parameter(text) for text in rest.split(";") if text.strip())
        form = _form(media_type.strip().lower(), parameters)
        if form is not None:
            return form
    raise problems.generic(NotAcceptable(f"406: Not Acceptable\n\nAvailable representations: {_AVAILABLE}"))


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.strip().partition("=")
    return name.strip().lower(), value.strip()


def _form(media_type: str, parameters: dict[str, str]) -> Form | None:
    if media_type not in ("application/json", "application/yaml", "*/*", "application/*"):
        return None
    wanted, group = parameters.get("as", ""), parameters.get("g", "")
    yaml = media_type == "application/yaml"
    if not wanted:
        return Form(yaml)
    if wanted == "APIGroupDiscoveryList" and group == "apidiscovery.k8s.io":
        version = parameters.get("v", "")
        return Form(discovery=version) if version in ("v2", "v2beta1") else None
    if (
        wanted in (TABLE, METADATA, METADATA_LIST)
        and group in ("meta.k8s.io", "")
        and parameters.get("v") == "v1"
    ):
        return Form(yaml, wanted)
    return None
