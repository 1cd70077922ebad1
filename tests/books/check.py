#!/usr/bin/env python3
"""Holds every export of a history against what the meter published, and lets the
tools that finance uses read them: sqlite3, hledger, Python's csv, and, where
SPREADSHEET is set, LibreOffice.

usage: check.py EVENTS OUT      (callfold-replay on PATH)
Prints "N passed, N failed"; exits with 1 if any failed.
"""
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from decimal import Decimal
from urllib.parse import unquote

events, out = sys.argv[1], sys.argv[2]
work = tempfile.mkdtemp()
passed = failed = 0


def check(what, is_true, more=""):
    global passed, failed
    passed, failed = (passed + 1, failed) if is_true else (passed, failed + 1)
    if not is_true:
        print(f"FAILED: {what}\n{str(more)[:2000]}")


def run(*command, text=True, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8" if text else None, **options)


def export(what, form, *options, name=None):
    path = os.path.join(work, name or f"{what}.{form}")
    done = run("callfold-replay", "export", what, "--format", form, "--events", events, "--output", path, *options)
    check(f"export {what} --format {form} {' '.join(options)}", done.returncode == 0, done.stderr)
    return path


def published(topic):
    with open(os.path.join(out, topic + ".jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def micros(text):
    return int(Decimal(text) * 1000000)


def sql(path, question):
    """Asked of the program sqlite3, not of a library."""
    done = run("sqlite3", "-json", "-bail", "-readonly", path, question)
    check(f"sqlite3: {question[:80]}", done.returncode == 0, done.stderr)
    return json.loads(done.stdout) if done.stdout.strip() else []


def place(record):
    partition, offset, _ = record["id"].split(":")
    return int(partition), int(offset)


LEDGER, CALLS = published("ledger"), published("calls")
BALANCES = {record["subject"]: record["data"] for record in published("balances")}
LAST = {}  # the last record of each call: a stale call that was found again has two
for record in CALLS:
    LAST[record["subject"], record["data"]["call_id"], record["data"]["started_at"]] = record["data"]


def check_lines():
    for topic in ("ledger", "calls"):
        with open(export(topic, "ndjson"), "rb") as ours, open(os.path.join(out, topic + ".jsonl"), "rb") as theirs:
            check(f"the lines of {topic} are those that were published", ours.read() == theirs.read())


def check_database(path):
    check("integrity", sql(path, "PRAGMA integrity_check") == [{"integrity_check": "ok"}])
    check("foreign keys", sql(path, "PRAGMA foreign_key_check") == [])
    check("entries that do not sum to zero", sql(path, "SELECT partition, entry, currency, sum(amount_micros) AS m FROM postings"
                                                       " GROUP BY 1, 2, 3 HAVING m <> 0") == [])
    check("the books sum to zero in each currency",
          all(row["m"] == 0 for row in sql(path, "SELECT currency, sum(closing_micros) AS m FROM trial_balance GROUP BY 1")))
    check("as many entries as were published", sql(path, "SELECT count(*) AS n FROM entries") == [{"n": len(LEDGER)}])
    closing = {row["account"]: row for row in sql(path, "SELECT * FROM balances")}
    for account, row in closing.items():
        was = BALANCES.get(account)
        check(f"balance of {account}", row["closing_micros"] == (micros(was["balance"]) if was else 0), row)
        check(f"balance of {account} in decimals", micros(row["closing"]) == row["closing_micros"], row)
    check("every balance that was published", set(BALANCES) <= set(closing), set(BALANCES) - set(closing))
    owed = {row["ledger_account"][9:]: row["closing_micros"] for row in sql(path, "SELECT * FROM trial_balance WHERE class = 'customer'")}
    check("what is owed is the customers' balances", all(-owed.get(name, 0) == row["closing_micros"] for name, row in closing.items()))
    for partition in sql(path, "SELECT partition, chain, entries FROM partitions"):
        mine = [record for record in LEDGER if place(record)[0] == partition["partition"]]
        check(f"chain of partition {partition['partition']}",
              not mine or (partition["chain"], partition["entries"]) == (mine[-1]["data"]["hash"], len(mine)), partition)
    check_calls(path)
    check_views(path)


def check_calls(path):
    rows = sql(path, "SELECT account, call_id, started_at, ended_at, amount_micros, duration_ms, ended_by FROM calls WHERE ended_at NOTNULL")
    check("a row a call", len(rows) == len(LAST), (len(rows), len(LAST)))
    for row in rows:
        was = LAST.get((row["account"], row["call_id"], row["started_at"]))
        check(f"call {row['call_id']}", was is not None and
              (row["ended_at"], row["amount_micros"], row["duration_ms"], row["ended_by"]) ==
              (was["ended_at"], micros(was["amount"]), was["duration_ms"], was["ended_by"]), (row, was))
    check("what the ledger charged is what the calls came to",
          sql(path, "SELECT call FROM calls LEFT JOIN entries e USING (call) GROUP BY call"
                    " HAVING calls.amount_micros <> -ifnull(sum(e.amount_micros), 0)") == [])


def check_views(path):
    views = [row["name"] for row in sql(path, "SELECT name FROM sqlite_master WHERE type = 'view'")]
    for view in views:
        for row in sql(path, f"SELECT * FROM {view}"):
            for column in row:
                if column.endswith("_micros") and column[:-7] in row and row[column] is not None:
                    check(f"{view}.{column}", row[column] == micros(row[column[:-7]]), row)
    revenue = {(row["c"]): row["m"] for row in sql(path, "SELECT currency AS c, -sum(amount_micros) AS m FROM entries WHERE kind = 'call' GROUP BY 1")}
    for view in ("revenue_by_day", "revenue_by_destination", "revenue_by_origin"):
        sums = defaultdict(int)
        for row in sql(path, f"SELECT currency, amount_micros FROM {view}"):
            sums[row["currency"]] += row["amount_micros"]
        check(f"{view} is all the revenue", dict(sums) == revenue, (dict(sums), revenue))


# CSV.

FORMULA = re.compile(r"[=+\-@\t\r\n]")


def read_csv(path):
    with open(path, "rb") as file:
        text = file.read().decode("utf-8")
    check(f"{path} ends its lines with CR LF", text.endswith("\r\n"))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def neutral(text):
    """What an export makes of a text that a spreadsheet would run."""
    return "'" + text if FORMULA.match(text) and not re.fullmatch(r"\+[1-9][0-9]{1,14}", text) else text


def check_csv():
    rows = read_csv(export("ledger", "csv"))
    wanted = [(place(record)[0], record["data"]["entry"], posting["account"], posting["amount"], posting["currency"])
              for record in sorted(LEDGER, key=lambda at: (place(at)[0], at["data"]["entry"])) for posting in record["data"]["postings"]]
    check("ledger.csv has every posting",
          [(int(row["partition"]), int(row["entry"]), row["ledger_account"], row["amount"], row["currency"]) for row in rows] == wanted)
    rows = read_csv(export("calls", "csv"))
    check("calls.csv has every call", len(rows) == len(LAST))
    for row in rows:
        was = LAST.get((row["account"], row["call_id"], row["started_at"]))
        check(f"calls.csv: {row['call_id']}", was is not None and row["amount"] == was["amount"] and
              row["from"] == neutral(was["from"]) and row["to"] == neutral(was["to"]) and
              row["destination"] == neutral(was.get("destination", "")) and row["price"] == was.get("price", ""), (row, was))
    rows = read_csv(export("balances", "csv"))
    for row in rows:
        parts = [Decimal(row[name]) for name in ("opening", "topups", "calls", "reversals")]
        check(f"balances.csv: {row['account']}", sum(parts) == Decimal(row["closing"]), row)
    with open(export("balances", "ndjson"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    check("balances.ndjson says the same", [{key: "" if value is None else str(value) for key, value in line.items()} for line in lines] == rows)


def check_spreadsheet():
    """LibreOffice's reader, where SPREADSHEET is set (make check-long): every cell comes back, and none has become a formula."""
    if os.environ.get("SPREADSHEET") is None:
        return
    office = ["soffice", "--headless", f"-env:UserInstallation=file://{work}/office"]
    for name in ("ledger", "calls", "balances"):
        run(*office, "--infilter=Text - txt - csv (StarCalc):44,34,76,1", "--convert-to", "fods", "--outdir", work, os.path.join(work, name + ".csv"))
        with open(os.path.join(work, name + ".fods"), encoding="utf-8") as file:
            sheet = file.read()
        check(f"{name}.csv in a spreadsheet: no formula", "table:formula" not in sheet)
        os.rename(os.path.join(work, name + ".csv"), os.path.join(work, name + ".was.csv"))
        run(*office, "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false", "--outdir", work, os.path.join(work, name + ".fods"))
        with open(os.path.join(work, name + ".was.csv"), encoding="utf-8", newline="") as was, \
                open(os.path.join(work, name + ".csv"), encoding="utf-8", newline="") as is_now:
            was, is_now = ([[same(cell) for cell in row] for row in csv.reader(file)] for file in (was, is_now))
        check(f"{name}.csv in a spreadsheet: every cell comes back", was == is_now,
              [pair for pair in zip(sum(was, []), sum(is_now, [])) if pair[0] != pair[1]][:10])


def same(cell):
    """A sheet writes TRUE for true, may end a number otherwise, and keeps neither a number's + nor control characters."""
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", cell):
        return Decimal(cell).normalize()
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "", cell.lower() if cell.lower() in ("true", "false") else cell)


# hledger.

def hledger(path, *arguments):
    return run("hledger", "-f", path, *arguments, env=dict(os.environ, LC_ALL="C.UTF-8"))


def check_strict(path):
    done = hledger(path, "check", "--strict", "ordereddates")
    check(f"hledger check --strict {path}", done.returncode == 0, done.stderr)


def hledger_balances(path, *query):
    done = hledger(path, "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv", *query)
    check("hledger balance", done.returncode == 0, done.stderr)
    return {(unquote(row["account"]), row["commodity"]): micros(row["balance"].replace(",", ""))
            for row in csv.DictReader(io.StringIO(done.stdout)) if Decimal(row["balance"].replace(",", "")) != 0}


def trial_balance(database, column="closing"):
    return {(row["ledger_account"], row["currency"]): row["m"]
            for row in sql(database, f"SELECT ledger_account, currency, {column}_micros AS m FROM trial_balance WHERE m <> 0")}


def check_journal(database):
    path = export("ledger", "hledger")
    check_strict(path)
    check("hledger has the balances of the books", hledger_balances(path) == trial_balance(database),
          set(hledger_balances(path).items()) ^ set(trial_balance(database).items()))
    entry = LEDGER[len(LEDGER) // 2]
    partition, offset = place(entry)
    done = hledger(path, "print", f"tag:partition-offset=^{partition}-{offset}$", f"tag:reference=^{re.escape(entry['data']['reference'])}$")
    check("tags lead back", f"({partition}-{entry['data']['entry']})" in done.stdout, done.stdout + done.stderr)
    # Whatever amount is changed, in both of its postings, the next assertion tells.
    with open(path, encoding="utf-8") as file:
        journal = file.read()
    pair = re.search(r"\n    (customer:\S+)  (-?[0-9.]+) (\w+) ==.*\n    (cash:\S+)  (-?[0-9.]+) ", journal)
    forged = journal[:pair.start(2)] + str(Decimal(pair[2]) - 1) + journal[pair.end(2):pair.start(5)] + \
        str(Decimal(pair[5]) + 1) + journal[pair.end(5):]
    with open(os.path.join(work, "forged.journal"), "w", encoding="utf-8") as file:
        file.write(forged)
    done = hledger(file.name, "check", "--strict")
    check("a changed amount is found", done.returncode != 0 and "assertion" in done.stderr, done.stderr)


def check_prices(database):
    """What the fx accounts are worth in one currency, by hledger and by hand."""
    rows = sql(database, "SELECT base, currency, rate FROM fx_rates ORDER BY effective_at")
    if not rows:
        return
    base = rows[-1]["base"]
    rates = {base: Decimal(1)} | {row["currency"]: Decimal(row["rate"]) for row in rows if row["base"] == base}
    worth = sum(Decimal(row["closing"]) / rates[row["currency"]] for row in sql(database, "SELECT * FROM fx_positions"))
    got = hledger_balances(os.path.join(work, "ledger.hledger"), "^fx:", f"--value=end,{base}")
    check("fx positions at the rates that were published", abs(sum(got.values()) - micros(worth)) <= len(rates), (got, worth))


# Ranges.

def check_ranges(database):
    dates = sorted({record["data"]["date"] for record in LEDGER})
    middle = dates[len(dates) // 2]
    before = export("ledger", "sqlite", "--to", middle, name="before.db")
    after = run("sqlite3", ":memory:", f"SELECT date('{middle}', '+1 day')").stdout.strip()
    rest = export("ledger", "sqlite", "--from", after, name="rest.db")
    for path in (before, rest):
        check("foreign keys of a range", sql(path, "PRAGMA foreign_key_check") == [])
    check("a range begins where the one before it ends", trial_balance(before) == trial_balance(rest, "opening"))
    check("and ends where all of it does", trial_balance(rest) == trial_balance(database))
    journal = export("ledger", "hledger", "--from", after, name="rest.journal")
    check_strict(journal)
    check("so does its journal", hledger_balances(journal) == trial_balance(database))
    check("its movement is the range's", hledger_balances(journal, f"date:{after}..") == trial_balance(rest, "movement"))
    rows = [read_csv(export("ledger", "csv", *option, name="part.csv")) for option in (("--to", middle), ("--from", after))]
    check("no posting is lost or twice between two ranges", sum(map(len, rows)) == sum(len(record["data"]["postings"]) for record in LEDGER))


def check_entry_ranges(database):
    for partition in {place(record)[0] for record in LEDGER}:
        entries = [record["data"]["entry"] for record in LEDGER if place(record)[0] == partition]
        middle = entries[len(entries) // 2]
        journal = export("ledger", "hledger", "--from-entry", f"{partition}:{middle}", name="entries.journal")
        check_strict(journal)
        part = export("ledger", "sqlite", "--from-entry", f"{partition}:{middle}", name="entries.db")
        check("a range of entries", sql(part, "SELECT min(entry) AS a, max(entry) AS z, count(*) AS n FROM entries") ==
              [{"a": middle, "z": entries[-1], "n": entries[-1] - middle + 1}])
        check("its journal has its balances", hledger_balances(journal) == trial_balance(part))


def check_statements(database):
    for month in sorted({record["data"]["date"][:7] for record in LEDGER}):
        for account in sorted(BALANCES)[:12]:
            done = run("callfold-replay", "statement", "--account", account, "--month", month, "--events", events, "--csv")
            check(f"statement of {account} for {month}", done.returncode == 0, done.stderr)
            rows = list(csv.DictReader(io.StringIO(done.stdout, newline=""), strict=True))
            check(f"statement of {account} for {month} adds up",
                  sum(Decimal(row["amount"]) for row in rows[:-1]) == Decimal(rows[-1]["amount"]), done.stdout)
            moved = sql(database, f"SELECT ifnull(sum(amount_micros), 0) AS m FROM entries WHERE account = '{account}' AND date GLOB '{month}-*'")
            check(f"statement of {account} for {month} has the month's entries",
                  sum(micros(row["amount"]) for row in rows[1:-1]) == moved[0]["m"], done.stdout)


def check_pages():
    """What others chose comes out as text, and nothing but our own words is markup."""
    for account in sorted(BALANCES)[:12]:
        month = LEDGER[-1]["data"]["date"][:7]
        page = run("callfold-replay", "statement", "--account", account, "--month", month, "--events", events, "--html").stdout
        tags = set(re.findall(r"</?([a-zA-Z!][^\s>]*)", page))
        check("tags of the page", tags <= set("!DOCTYPE html head meta title style body main h1 h2 p b bdi time div table thead tbody tr th td".split()), tags)
        check("entities of the page", set(re.findall(r"&[^;]*;", page)) <= {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&minus;", "&#xfffd;"})
        check("no control character in the page", not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", page))


check_lines()
books = export("ledger", "sqlite")
check_database(books)
check_csv()
check_spreadsheet()
check_journal(books)
check_prices(books)
check_ranges(books)
check_entry_ranges(books)
check_statements(books)
check_pages()
shutil.rmtree(work)
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
