"""serve.py - judges histories that come through a pipe; the fuzzer's side of compare.py.

    tests/fuzz/fuzz_model.c starts it and speaks to it on stdin and stdout

A history is a line "record OFFSET TIMESTAMP KEY_LENGTH VALUE_LENGTH" for each record, with
"-" for what a bare line does not have (KEY_LENGTH -1: the null key), followed by the bytes
of key and value; a line "output TOPIC LENGTH" and its bytes for each thing the program
said; and "end". The answer is a line "agreed", or "differs LENGTH" and a report that ends
with the events as lines for compare.py --file.
"""

import contextlib
import io
import sys
import traceback

from compare import Failed, check_invariants, first_difference, group, model_outputs, report
from history import History, Record, line
from model import NO_KEY


def read_history(stream):
    """(records, {topic: bytes}), or None when nothing comes any more."""
    records, topics = [], {}
    for raw in stream:
        words = raw.decode().split()
        if words == ["end"]:
            return records, topics
        if words[0] == "record":
            offset, timestamp, key_len, value_len = words[1:]
            key = NO_KEY if key_len == "-" else None if key_len == "-1" else stream.read(int(key_len))
            records.append(Record(0, int(offset), None if timestamp == "-" else int(timestamp), key,
                                  stream.read(int(value_len))))
        else:
            topics[words[1]] = topics.get(words[1], b"") + stream.read(int(words[2])) + b"\n"
    return None


def judge(records, topics):
    """What is wrong, as text; empty when the model and the program agree."""
    said = io.StringIO()
    expected = model_outputs(records, 0)
    got = group(topics, records)
    index = first_difference(records, expected, got, order=True)
    if index is None:
        check_invariants(got, records)
        return ""
    with contextlib.redirect_stdout(said):
        report(History(records, 0, expected, False), ("", index, got), True)
    return said.getvalue()


def answer(records, topics):
    try:
        wrong = judge(records, topics)
    except Failed as failure:
        wrong = str(failure)
    except Exception:  # a fault of the model's own is a finding too
        wrong = traceback.format_exc()
    if not wrong:
        return b"agreed\n"
    text = wrong.encode(errors="backslashreplace") + b"\n" + b"".join(map(line, records))
    return b"differs %d\n" % len(text) + text


def main():
    while (history := read_history(sys.stdin.buffer)) is not None:
        sys.stdout.buffer.write(answer(*history))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
