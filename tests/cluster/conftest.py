"""A server to talk to, and kubeconfigs that name it."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from labkit.cluster import Cluster, confirmation

from .server import AnswerServer


@pytest.fixture
def server():
    running = AnswerServer()
    yield running
    running.close()


@pytest.fixture
def write_kubeconfig(tmp_path):
    """Write a kubeconfig with one context, ``test``, for ``url``; hands back its path."""

    def write(url, *, cluster=None, user=None, name="config", context="test"):
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": url} | (cluster or {})}],
            "users": [{"name": context, "user": user or {}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def connect(write_kubeconfig, server):
    """A `Cluster` of the server, its own unless said otherwise."""
    clusters = []

    def connect(url=None, *, cluster=None, user=None, **options):
        path = write_kubeconfig(url or server.url, cluster=cluster, user=user)
        clusters.append(Cluster.from_kubeconfig(path, **({"own": True} | options)))
        return clusters[-1]

    yield connect
    for cluster in clusters:
        cluster.close()


@pytest.fixture(autouse=True)
def _nothing_agreed():
    """What a person agreed to lasts for a process; each test is a new one."""
    confirmation._agreed.clear()


class Certificate:
    """A certificate and its key, in PEM."""

    def __init__(self, name, *, issuer=None, authority=False):
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.x509.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            names = [x509.DNSName("kubernetes"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        self.x509 = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())
        self.pem = self.x509.public_bytes(serialization.Encoding.PEM)
        self.key_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def data(self):
        return base64.b64encode(self.pem).decode()

    @property
    def key_data(self):
        return base64.b64encode(self.key_pem).decode()


@pytest.fixture(scope="session")
def authority():
    return Certificate("test authority", authority=True)


@pytest.fixture
def tls_server(authority, tmp_path):
    """A server with a certificate of ``authority``, that wants one from its client if it has any."""
    own = Certificate("server", issuer=authority)
    pair, trusted = tmp_path / "server.pem", tmp_path / "ca.pem"
    pair.write_bytes(own.key_pem + own.pem)
    trusted.write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_OPTIONAL
    running = AnswerServer(context)
    yield running
    running.close()
