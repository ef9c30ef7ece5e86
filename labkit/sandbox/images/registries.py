"""Which images exist. The simulated nodes have no network, so this is decided by rules, the first that fits:

1. A name that says so: one whose path or tag holds a word like ``does-not-exist``, ``no-such``, ``missing`` or
   ``broken`` does not exist. Whoever wants to see ImagePullBackOff writes that.
2. A repository of the catalogue exists in the tags that its entry names, and no others: a mistyped tag fails.
3. The host of a registry that nobody can reach does not answer: names that the Internet keeps for examples and tests
   (``.example``, ``.invalid``, ``.test``, ``.local``, ``example.com`` …; RFC 2606, RFC 6761), and this machine's own.
4. One-word names (``nginx``) are Docker's official images; there is a list of those, so a mistyped name fails.
5. Anything else is taken to exist if its tag looks like one that people publish: ``latest``, ``stable``, ``main``,
   a commit, or anything with a digit in it.

What is said of an image that does not exist is what containerd says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.sandbox.images.names import ImageName

_SAYS_SO = re.compile(
    r"(^|[/._-])(does-?not-?exist|doesntexist|non-?exist(ent|ing)|no-?such(-?\w+)?|not-?found|missing|invalid|broken|nope|typo)($|[/._-])"
)
_UNREACHABLE = re.compile(
    r"(^|\.)(example|invalid|test|local|localdomain|internal|example\.(com|net|org))(:\d+)?$"
)
_HERE = re.compile(r"^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$")
_TAG = re.compile(
    r"latest|stable|main|master|edge|nightly|dev(elop(ment)?)?|release|production|staging|alpine|slim|debian|ubuntu"
    r"|bookworm|bullseye|trixie|jammy|noble|lts|current|fpm|perl|management|[0-9a-f]{7,40}|.*\d.*"
)
_OFFICIAL = frozenset(
    [
        "adminer",
        "aerospike",
        "almalinux",
        "alpine",
        "alt",
        "amazoncorretto",
        "amazonlinux",
        "api-firewall",
        "arangodb",
        "archlinux",
        "backdrop",
        "bash",
        "bonita",
        "buildpack-deps",
        "busybox",
        "caddy",
        "cassandra",
        "chronograf",
        "cirros",
        "clefos",
        "clojure",
        "composer",
        "convertigo",
        "couchbase",
        "couchdb",
        "crate",
        "dart",
        "debian",
        "docker",
        "drupal",
        "eclipse-mosquitto",
        "eclipse-temurin",
        "eggdrop",
        "elasticsearch",
        "elixir",
        "emqx",
        "erlang",
        "fedora",
        "flink",
        "fluentd",
        "friendica",
        "gazebo",
        "gcc",
        "geonetwork",
        "ghost",
        "gradle",
        "groovy",
        "haproxy",
        "haskell",
        "haxe",
        "hello-world",
        "hitch",
        "httpd",
        "hylang",
        "ibm-semeru-runtimes",
        "ibmjava",
        "influxdb",
        "irssi",
        "jetty",
        "joomla",
        "jruby",
        "julia",
        "kapacitor",
        "kibana",
        "kong",
        "krakend",
        "lightstreamer",
        "liquibase",
        "logstash",
        "mageia",
        "mariadb",
        "matomo",
        "maven",
        "mediawiki",
        "memcached",
        "mongo",
        "mongo-express",
        "monica",
        "mysql",
        "nats",
        "nats-streaming",
        "neo4j",
        "neurodebian",
        "nextcloud",
        "nginx",
        "node",
        "notary",
        "odoo",
        "open-liberty",
        "openjdk",
        "oraclelinux",
        "orientdb",
        "percona",
        "perl",
        "photon",
        "php",
        "php-zendserver",
        "phpmyadmin",
        "plone",
        "postfixadmin",
        "postgres",
        "pypy",
        "python",
        "r-base",
        "rabbitmq",
        "rakudo-star",
        "redis",
        "redmine",
        "registry",
        "rethinkdb",
        "rocket.chat",
        "rockylinux",
        "ros",
        "ruby",
        "rust",
        "sapmachine",
        "satosa",
        "scratch",
        "sl",
        "solr",
        "sonarqube",
        "spark",
        "spiped",
        "storm",
        "swift",
        "swipl",
        "telegraf",
        "tomcat",
        "tomee",
        "traefik",
        "ubuntu",
        "unit",
        "valkey",
        "varnish",
        "vault",
        "websphere-liberty",
        "wordpress",
        "xwiki",
        "yourls",
        "znc",
        "zookeeper",
    ]
)


def problem(image: ImageName, tags: str | None) -> str:
    """Why an image cannot be pulled, in containerd's words, or the empty string.

    ``tags`` is the catalogue's pattern for the repository's tags; ``None`` for a repository that it does not have.
    """
    if _SAYS_SO.search(image.path) or _SAYS_SO.search(image.tag):
        return _denied(image) if _SAYS_SO.search(image.path) else _not_found(image)
    if tags is not None:
        return "" if image.digest or re.fullmatch(tags, image.tag) else _not_found(image)
    if _HERE.match(image.registry):
        return _failed(
            image,
            f'failed to do request: Head "{_address(image)}": dial tcp {_host(image)}: connect: connection refused',
        )
    if _UNREACHABLE.search(image.registry):
        host = image.registry.split(":")[0]
        return _failed(
            image, f'failed to do request: Head "{_address(image)}": dial tcp: lookup {host}: no such host'
        )
    library = image.registry == "docker.io" and image.path.startswith("library/")
    if library and image.path.removeprefix("library/") not in _OFFICIAL:
        return _denied(image)
    return "" if image.digest or _TAG.fullmatch(image.tag) else _not_found(image)


def _not_found(image: ImageName) -> str:
    return _failed(image, f"{image}: not found", "NotFound")


def _denied(image: ImageName) -> str:
    text = "pull access denied, repository does not exist or may require authorization: "
    return _failed(image, f"{text}server message: insufficient_scope: authorization failed")


def _failed(image: ImageName, reason: str, code: str = "Unknown") -> str:
    return (
        f'rpc error: code = {code} desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {reason}'
    )


def _address(image: ImageName) -> str:
    scheme = "http" if _HERE.match(image.registry) else "https"
    return f"{scheme}://{image.registry}/v2/{image.path}/manifests/{image.digest or image.tag}"


def _host(image: ImageName) -> str:
    host, _, port = image.registry.partition(":")
    return f"{host.replace('localhost', '127.0.0.1')}:{port or '443'}"
