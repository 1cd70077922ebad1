"""Throw-away certificates for a broker on loopback, made by openssl."""
import subprocess


class Certificates:
    """ca: whom clients trust (PEM); broker: key and certificate for 127.0.0.1 and localhost
    in one PEM, as the broker wants them; stranger: a CA that signed nothing of ours."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = self._authority("ca")
        self.stranger = self._authority("stranger")
        self.broker = self._broker()

    def _authority(self, name):
        certificate = self.directory / f"{name}.pem"
        self._openssl("req", "-x509", *self._new_key(name), "-days", "2", "-subj", f"/CN=callfold test {name}",
                      "-out", certificate)
        return certificate

    def _broker(self):
        key, certificate, both = (self.directory / f"broker.{end}" for end in ("key", "crt", "pem"))
        self._openssl("req", "-x509", *self._new_key("broker"), "-days", "2", "-subj", "/CN=localhost",
                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                      "-CA", self.ca, "-CAkey", self.directory / "ca.key", "-out", certificate)
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        return both

    def _new_key(self, name):
        return ("-newkey", "rsa:2048", "-nodes", "-keyout", self.directory / f"{name}.key")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
