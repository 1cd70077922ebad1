"""A TCP proxy in front of a broker, whose connections a test can cut or stall."""
import socket
import threading


class Proxy:
    """Carries 127.0.0.1:port to 127.0.0.1:target until close().

    The port is the one clients are told of, so that they always come this way."""

    def __init__(self, port, target):
        self.target = target
        self.flowing = threading.Event()
        self.flowing.set()
        self.refusing = False
        self.sockets = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Closes every connection; new ones are taken."""
        with self.lock:
            for end in self.sockets:
                _shut(end)

    def down(self):
        """Closes every connection, and each new one at once, until up()."""
        self.refusing = True
        self.cut()

    def up(self):
        self.refusing = False

    def stall(self):
        """Connections stay open and nothing comes through, until flow()."""
        self.flowing.clear()

    def flow(self):
        self.flowing.set()

    def close(self):
        self.listener.close()
        self.down()
        self.flow()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                broker = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.sockets |= {client, broker}
            for source, sink in ((client, broker), (broker, client)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                self.flowing.wait()
                sink.sendall(data)
        except OSError:
            pass
        with self.lock:
            self.sockets -= {source, sink}
        _shut(source)
        _shut(sink)


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
