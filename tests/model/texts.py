"""texts.py - numbers and instants as callfold writes them, and a key's partition."""

from decode import DAY

MINUTE = 60000
HOUR = 3600000


def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def decimal_text(number, places):
    sign, digits = "-" if number < 0 else "", str(abs(number)).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    return sign + digits[:-places] + ("." + fraction if fraction else "")


def money(micros):
    return decimal_text(micros, 6)


def day_text(day):
    """Days since 1970 -> 2026-11-23 (civil-from-days, proleptic Gregorian, year 0 too)."""
    era, rest = divmod(day + 719468, 146097)
    year = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    rest -= 365 * year + year // 4 - year // 100
    month = (5 * rest + 2) // 153
    first = 1 if month >= 10 else 0
    civil_month = month - 9 if month >= 10 else month + 3
    return f"{year + era * 400 + first:04d}-{civil_month:02d}-{rest - (153 * month + 2) // 5 + 1:02d}"


def time_text(ms):
    day, rest = divmod(ms, DAY)
    return f"{day_text(day)}T{rest // HOUR:02d}:{rest // MINUTE % 60:02d}:{rest // 1000 % 60:02d}.{rest % 1000:03d}Z"


def encoded(text):
    """Percent-encoded for a ledger line."""
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:+-"
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode())


def murmur2(key):
    """The Java client's hash of a key, for the partition it belongs to."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(key)) & mask
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & mask
        h = h * m & mask ^ (k ^ k >> 24) * m & mask
    if len(key) > whole:
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of(key, count):
    return (murmur2(key) & 0x7FFFFFFF) % count


def eight_bytes(number):
    return (number % 2**64).to_bytes(8, "big")
