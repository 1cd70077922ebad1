"""A TCP proxy in front of a broker, whose connections a test can cut or stall, now or when
the meter next asks for something."""
import socket
import threading

# What a request asks for, by its number in Kafka's protocol.
REQUESTS = {"Produce": 0, "Fetch": 1, "OffsetFetch": 9, "FindCoordinator": 10, "JoinGroup": 11, "Heartbeat": 12,
            "SyncGroup": 14, "InitProducerId": 22, "AddPartitionsToTxn": 24, "AddOffsetsToTxn": 25, "EndTxn": 26,
            "TxnOffsetCommit": 28}


class Trap:
    """Springs at the next request of that name by a client whose client.id begins so: before it
    goes on to the broker, which then never sees it, or after it has, before any answer."""

    def __init__(self, request, client, when, action):
        self.key, self.client, self.when, self.action = REQUESTS[request], client.encode(), when, action
        self.sprung = threading.Event()

    def fits(self, request):
        size = int.from_bytes(request[12:14], "big", signed=True)
        return int.from_bytes(request[4:6], "big") == self.key and request[14:14 + max(size, 0)].startswith(self.client)


class Proxy:
    """Carries 127.0.0.1:port to 127.0.0.1:target until close(); plain text, no TLS.

    The port is the one clients are told of, so that they always come this way."""

    def __init__(self, port, target):
        self.target = target
        self.flowing = threading.Event()
        self.flowing.set()
        self.refusing = False
        self.sockets, self.traps = set(), []
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

    def trap(self, request, client, when, action=None):
        """Does action once, or cuts all connections; the Trap, whose `sprung` can be waited for."""
        trap = Trap(request, client, when, action or self.cut)
        with self.lock:
            self.traps.append(trap)
        return trap

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
            for carry in (self._carry_requests, self._carry_answers):
                threading.Thread(target=self._carry, args=(carry, client, broker), daemon=True).start()

    def _carry(self, carry, client, broker):
        try:
            carry(client, broker)
        except OSError:
            pass
        with self.lock:
            self.sockets -= {client, broker}
        _shut(client)
        _shut(broker)

    def _carry_answers(self, client, broker):
        while data := broker.recv(1 << 16):
            self.flowing.wait()
            client.sendall(data)

    def _carry_requests(self, client, broker):
        waiting = bytearray()
        while data := client.recv(1 << 16):
            waiting += data
            for request in _take_requests(waiting):
                trap = self._take_trap(request)
                self.flowing.wait()
                if not trap or trap.when == "after":
                    broker.sendall(request)
                if trap:
                    trap.action()
                    trap.sprung.set()
                if trap and trap.when == "before":
                    raise ConnectionAbortedError

    def _take_trap(self, request):
        with self.lock:
            for trap in self.traps:
                if trap.fits(request):
                    self.traps.remove(trap)
                    return trap
        return None


def _take_requests(waiting):
    """Those that are whole, each with its length in front; takes them out."""
    while len(waiting) >= 4 and len(waiting) >= (size := 4 + int.from_bytes(waiting[:4], "big")):
        request = bytes(waiting[:size])
        del waiting[:size]
        yield request


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
