"""What a broker of Apache Kafka 2.4 says of itself, and no more: a listener that answers the
first request of every client, ApiVersions, and then nothing."""
import socket
import struct
import threading

API_VERSIONS = 18
# API key: the newest version that Kafka 2.4 speaks (its protocol documentation).
SPEAKS = {0: 8, 1: 11, 2: 5, 3: 9, 8: 8, 9: 6, 10: 3, 11: 6, 12: 4, 14: 4, 18: 3, 19: 5, 22: 2, 24: 1, 25: 1, 26: 1,
          28: 2, 32: 2}


class OldBroker:
    """Listens until close()."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        try:
            while head := client.recv(12, socket.MSG_WAITALL):
                size, key, version, correlation = struct.unpack(">ihhi", head)
                client.recv(size - 8, socket.MSG_WAITALL)
                if key == API_VERSIONS:
                    answer = struct.pack(">i", correlation) + (_flexible() if version >= 3 else _plain(version))
                    client.sendall(struct.pack(">i", len(answer)) + answer)
        except (OSError, struct.error):
            pass
        client.close()


def _flexible():
    keys = b"".join(struct.pack(">hhhB", key, 0, newest, 0) for key, newest in SPEAKS.items())
    return struct.pack(">hB", 0, len(SPEAKS) + 1) + keys + struct.pack(">iB", 0, 0)


def _plain(version):
    keys = b"".join(struct.pack(">hhh", key, 0, newest) for key, newest in SPEAKS.items())
    return struct.pack(">hi", 0, len(SPEAKS)) + keys + (struct.pack(">i", 0) if version > 0 else b"")
