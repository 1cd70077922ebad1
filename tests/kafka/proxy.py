"""A TCP proxy in front of a broker, whose connections a test can cut or stall, now or when
the meter next asks for something, or where it can answer in the broker's place."""
import socket
import threading

# What a request asks for, by its number in Kafka's protocol.
REQUESTS = {"Produce": 0, "Fetch": 1, "OffsetFetch": 9, "FindCoordinator": 10, "JoinGroup": 11, "Heartbeat": 12,
            "SyncGroup": 14, "InitProducerId": 22, "AddPartitionsToTxn": 24, "AddOffsetsToTxn": 25, "EndTxn": 26,
            "TxnOffsetCommit": 28}


# The error of a coordinator that has not read all of its log yet, and what follows an error in
# the answers of coordinators: no producer, no generation, nothing assigned.
COORDINATOR_LOAD_IN_PROGRESS = 14
AFTER_ERROR = {"InitProducerId": b"\xff" * 10, "AddOffsetsToTxn": b"", "EndTxn": b"", "Heartbeat": b"",
               "JoinGroup": b"\xff" * 4 + bytes(10), "SyncGroup": bytes(4)}
# From these versions on, answers have tagged fields, of which there are none, behind head and body.
TAGGED_FROM = {"InitProducerId": 2, "AddOffsetsToTxn": 3, "EndTxn": 3, "Heartbeat": 4}


def loading(name, request):
    """The answer to a request, its length in front, of a coordinator that is still loading."""
    version = int.from_bytes(request[6:8], "big")
    tags = bytes(1 if version >= TAGGED_FROM.get(name, 1 << 16) else 0)
    throttled = bytes(4)
    answer = (request[8:12] + tags + throttled + COORDINATOR_LOAD_IN_PROGRESS.to_bytes(2, "big") + AFTER_ERROR[name] +
              tags)
    return len(answer).to_bytes(4, "big") + answer


class Trap:
    """Springs at the next request of that name by a client whose client.id begins so: before it
    goes on to the broker, which then never sees it, or after it has, before any answer. Instead:
    the broker never sees it, and the answer is that of a coordinator that is still loading."""

    def __init__(self, request, client, when, action):
        self.name, self.key, self.client, self.when = request, REQUESTS[request], client.encode(), when
        self.action = action
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
        """Does action once, or cuts all connections, or answers instead; the Trap, whose `sprung` can be waited for."""
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
            answering = threading.Lock()  # an answer of ours comes between two of the broker's
            for carry in (self._carry_requests, self._carry_answers):
                threading.Thread(target=self._carry, args=(carry, client, broker, answering), daemon=True).start()

    def _carry(self, carry, client, broker, answering):
        try:
            carry(client, broker, answering)
        except OSError:
            pass
        with self.lock:
            self.sockets -= {client, broker}
        _shut(client)
        _shut(broker)

    def _carry_answers(self, client, broker, answering):
        for answer in _whole_ones(broker):
            self.flowing.wait()
            with answering:
                client.sendall(answer)

    def _carry_requests(self, client, broker, answering):
        for request in _whole_ones(client):
            trap = self._take_trap(request)
            self.flowing.wait()
            if not trap or trap.when == "after":
                broker.sendall(request)
            if trap and trap.when == "instead":
                with answering:
                    client.sendall(loading(trap.name, request))
            elif trap:
                trap.action()
            if trap:
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


def _whole_ones(end):
    """Requests or answers as they come, each with its length in front."""
    waiting = bytearray()
    while data := end.recv(1 << 16):
        waiting += data
        while len(waiting) >= 4 and len(waiting) >= (size := 4 + int.from_bytes(waiting[:4], "big")):
            yield bytes(waiting[:size])
            del waiting[:size]


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
