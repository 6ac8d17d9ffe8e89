"""Media servers on loopback that behave as they are told, well or badly, and a made-up internet that leads to them."""

import contextlib
import datetime as dt
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FILM = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + Random(1).randbytes(300_000)
"""Bytes that begin like an MP4 and are longer than what is read for sniffing."""


class Connection:
    """A client's connection, after its request was read. Writing ends quietly when the client or the server is gone."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self._sock = sock
        self._stopped = stopped
        self.headers: dict[str, str] = {}
        self.path = ""
        self._begun = b""

    def read_request(self) -> str:
        received = b""
        while b"\r\n\r\n" not in received:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError
            received += data
        head, _, self._begun = received.partition(b"\r\n\r\n")
        request = f"{head.decode('ascii')}\r\n\r\n"
        lines = request.split("\r\n")
        self.path = lines[0].split(" ")[1]
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        return request

    def read_body(self) -> bytes:
        """Read what follows the headers."""
        body, length = self._begun, int(self.headers["content-length"])
        while len(body) < length:
            if not (piece := self._sock.recv(65536)):
                raise ConnectionError("the client went away")
            body += piece
        return body

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        """Answer properly, as one that knows its length."""
        self.begin(f"Content-Length: {len(body)}", *headers, status=status)
        self.send(body)

    def begin(self, *headers: str, status: str = "200 OK") -> None:
        self.send("\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1"))

    def send_endlessly(self, data: bytes) -> None:
        while not self._stopped.is_set():
            self.send(data)

    def drip(self, data: Iterable[bytes], seconds: float = 0.02) -> None:
        """Send piece after piece, with a pause after each."""
        for piece in data:
            self.send(piece)
            if self._stopped.wait(seconds):
                return

    def be_silent(self) -> None:
        self._stopped.wait()

    def reset(self) -> None:
        """Cut the connection the hard way."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._sock.close()


type Behaviour = Callable[[Connection], None]


class MediaServer:
    """Serves each connection by the next behaviour; the last one repeats. Knows who connected and what was asked."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviours = itertools.chain(behaviours, itertools.repeat(behaviours[-1]))
        self._tls = tls
        self._stopped = threading.Event()
        self._acceptor = threading.Thread(target=self._accept)
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.connections = 0
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        socket.create_connection(self._listener.getsockname()).close()  # Wakes the acceptor.
        self._acceptor.join()
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # The client was faster.
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopped.is_set():
                sock.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, next(self._behaviours)))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, behave: Behaviour) -> None:
        sock.settimeout(30)
        self._sockets.append(sock)
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
                self._sockets.append(sock)
            connection = Connection(sock, self._stopped)
            self.requests.append(connection.read_request())
            behave(connection)
        except OSError:
            pass  # The client ended it, as it should with most of these behaviours.
        finally:
            sock.close()


class Rerouted(socket.socket):
    """A socket that believes to be connected to a public address."""

    believed_peer: tuple[str, int]

    def getpeername(self) -> tuple[str, int]:
        return self.believed_peer


class Internet:
    """Names, and public addresses that all lead to one server; 127.0.0.1 is itself.

    `names` holds the answers for each name: one list of addresses after the other, the last one repeating.
    """

    def __init__(self, server: MediaServer, names: dict[str, list[list[str]]]) -> None:
        self._server = server
        self._names = {name: itertools.chain(answers, itertools.repeat(answers[-1])) for name, answers in names.items()}
        self.lookups: list[str] = []
        self.dialed: list[str] = []

    def resolve(self, host: str, _port: int) -> list[str]:
        self.lookups.append(host)
        if host == "127.0.0.1":
            return [host]
        if host not in self._names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return next(self._names[host])

    def dial(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.dialed.append(address[0])
        if address[0] == "127.0.0.1":
            return socket.create_connection(address, timeout)
        sock = Rerouted()
        sock.believed_peer = address
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", self._server.port))
        return sock


class Authority:
    """A certificate authority of its own: `pem` is its certificate's file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        certificate = (
            self._certificate(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(key_cert_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = folder / "authority.pem"
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str) -> ssl.SSLContext:
        """Return the TLS side of a server that has a certificate for this DNS name."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._certificate(x509.Name([]), key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        chain = self._folder / f"{name}.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        return context

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=24))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def _key_usage(*, key_cert_sign: bool = False, digital_signature: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
