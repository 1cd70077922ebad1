"""census.py - the records of a stored state, counted by kind: read with liblmdb itself, not with callfold."""

import ctypes
from collections import Counter, namedtuple

RDONLY = 0x20000  # MDB_RDONLY, for the environment and for the transaction
FIRST, NEXT = 0, 8  # MDB_FIRST, MDB_NEXT

Census = namedtuple("Census", "counts bytes")  # both by kind, the letter of snapshots/FORMAT.md


class Value(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]


class Lmdb:
    def __init__(self):
        self.library = ctypes.CDLL("liblmdb.so.0")

    def __call__(self, name, *arguments):
        """Calls a function of the library; True, or False where there is nothing more."""
        function = getattr(self.library, name)
        code = function(*arguments)
        if code == -30798:  # MDB_NOTFOUND
            return False
        if code != 0:
            raise OSError(f"{name}: LMDB error {code}")
        return True


def census(partition_directory):
    """Counts the records that a directory such as state/partition-0 holds; nothing may be writing to it."""
    lmdb = Lmdb()
    environment, transaction, cursor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    database = ctypes.c_uint()
    lmdb("mdb_env_create", ctypes.byref(environment))
    lmdb("mdb_env_set_maxdbs", environment, 2)
    lmdb("mdb_env_open", environment, str(partition_directory).encode(), RDONLY, 0o600)
    lmdb("mdb_txn_begin", environment, None, RDONLY, ctypes.byref(transaction))
    lmdb("mdb_dbi_open", transaction, b"records", 0, ctypes.byref(database))
    lmdb("mdb_cursor_open", transaction, database, ctypes.byref(cursor))
    result = Census(Counter(), Counter())
    key, body, step = Value(), Value(), FIRST
    while lmdb("mdb_cursor_get", cursor, ctypes.byref(key), ctypes.byref(body), step):
        kind = ctypes.string_at(key.data, 1).decode()
        result.counts[kind] += 1
        result.bytes[kind] += key.size + body.size
        step = NEXT
    lmdb.library.mdb_cursor_close(cursor)
    lmdb.library.mdb_txn_abort(transaction)
    lmdb.library.mdb_env_close(environment)
    return result
