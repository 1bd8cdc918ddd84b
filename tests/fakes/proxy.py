"""What stands between Hob and the world in some networks: a proxy that asks for a name and a password, and
TLS whose certificates an authority of one's own has signed."""

import base64
import contextlib
import datetime
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USER, PASSWORD = "hob", "tea for/two@"
"""The password needs to be percent-encoded in an address."""
USERINFO = "hob:tea%20for%2Ftwo%40"


ASKS = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=tea\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class ProxyStandIn:
    """`with ProxyStandIn(names) as proxy`: speaks CONNECT. `names`: host -> port on loopback, which it alone
    knows. `seen`: what was asked for."""

    def __init__(self, names: dict[str, int], *, auth: bool = True) -> None:
        self.names, self.seen, self.refused = names, list[str](), 0
        wanted = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline(4096)
                headers = {}
                while (header := self.rfile.readline(4096)).strip():
                    name, _, value = header.partition(b":")
                    headers[name.lower()] = value.strip()
                method, _, target = line.decode("latin-1").partition(" ")
                host = target.partition(" ")[0].removeprefix("http://").partition("/")[0].rpartition(":")[0]
                if auth and headers.get(b"proxy-authorization") != wanted:
                    outer.refused += 1
                    self.wfile.write(ASKS)
                    return
                outer.seen.append(f"{method} {host}")
                port = outer.names.get(host)
                if method != "CONNECT" or port is None:
                    self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with socket.create_connection(("127.0.0.1", port)) as there:
                    _both_ways(self.connection, there)

        self._server = _Threads(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://{USERINFO}@127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


def _both_ways(one: socket.socket, other: socket.socket) -> None:
    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while part := source.recv(65_536):
                target.sendall(part)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join(5)


@contextlib.contextmanager
def over_tls(certificate: Path, port: int) -> Iterator[int]:
    """The port at which what listens on `port` is had over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                shown = context.wrap_socket(self.request, server_side=True)
            except OSError:
                return
            with shown, socket.create_connection(("127.0.0.1", port)) as there:
                _both_ways(shown, there)

    server = _Threads(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def authority(folder: Path, *names: str) -> tuple[Path, Path]:
    """(the certificate of an authority of one's own, key and certificate that it has given `names`)"""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    issuer, subject = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Tea Authority", names[0])
    )

    def made(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )

    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("encipher_only", "decipher_only"),
        ),
        False,
    )
    signs = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage)
    ca = made(issuer, keys[0]).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    ca = ca.add_extension(signs, True)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    own = made(subject, keys[1]).add_extension(alternatives, False)
    root, leaf = (each.sign(keys[0], hashes.SHA256()) for each in (ca, own))
    trusted, shown = folder / "authority.pem", folder / "shown.pem"
    trusted.write_bytes(root.public_bytes(Encoding.PEM))
    private = keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown.write_bytes(private + leaf.public_bytes(Encoding.PEM))
    return trusted, shown
