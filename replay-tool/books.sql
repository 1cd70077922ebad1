-- The books of callfold as a database: what books.c fills and the exports ask.
--
-- Amounts are whole micros, millionths of one unit of the currency beside them;
-- the columns and views without _micros say the same in decimals, as text, for an
-- amount is exact and a floating point number is not. Signs are those of the
-- ledger: see docs/finance.md. Instants and days are UTC.

-- What is in this file: the range that was asked for.
CREATE TABLE export (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- How far the history was folded. A day up to final_day gets no more entries.
CREATE TABLE partitions (
    partition   INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL, -- of callfold.events
    time        TEXT NOT NULL,    -- partition time: as far as events told of it
    final_day   TEXT,             -- null: none yet
    entries     INTEGER NOT NULL, -- in the ledger since its beginning
    chain       TEXT NOT NULL     -- hash of the last one
) STRICT;

CREATE TABLE currencies (
    currency     TEXT PRIMARY KEY,  -- ISO 4217
    minor_digits INTEGER NOT NULL   -- 2: cents
) WITHOUT ROWID, STRICT;

CREATE TABLE decks (
    deck_id      TEXT PRIMARY KEY,
    currency     TEXT NOT NULL REFERENCES currencies,
    effective_at TEXT NOT NULL,
    rates        INTEGER NOT NULL   -- how many
) WITHOUT ROWID, STRICT;

-- Exchange: one unit of base costs so much of the other currency, from then on.
CREATE TABLE fx_rates (
    effective_at TEXT NOT NULL,
    base         TEXT NOT NULL REFERENCES currencies,
    currency     TEXT NOT NULL REFERENCES currencies,
    rate         TEXT NOT NULL,
    PRIMARY KEY (effective_at, base, currency)
) WITHOUT ROWID, STRICT;

CREATE TABLE customers (
    account        TEXT PRIMARY KEY,
    partition      INTEGER NOT NULL REFERENCES partitions,
    currency       TEXT NOT NULL REFERENCES currencies,
    opened_at      TEXT,
    balance_micros INTEGER NOT NULL, -- after the last entry of the whole history, in the range or not
    later_micros   INTEGER NOT NULL, -- of that, what was posted beyond the range
    balance        TEXT GENERATED ALWAYS AS (printf('%s%d.%06d', iif(balance_micros < 0, '-', ''),
                       abs(balance_micros / 1000000), abs(balance_micros % 1000000)))
) WITHOUT ROWID, STRICT;

-- customer:ID, cash:CURRENCY, revenue:DESTINATION, receivable:ID, promotion:CURRENCY, fx:CURRENCY
CREATE TABLE ledger_accounts (
    ledger_account TEXT PRIMARY KEY,
    class          TEXT NOT NULL CHECK (class IN ('customer', 'cash', 'revenue', 'receivable', 'promotion', 'fx')),
    name           TEXT NOT NULL      -- what follows the colon
) WITHOUT ROWID, STRICT;

-- What the ledger accounts stood at before the range; nothing when it begins at the beginning.
CREATE TABLE opening (
    ledger_account TEXT NOT NULL REFERENCES ledger_accounts,
    currency       TEXT NOT NULL REFERENCES currencies,
    amount_micros  INTEGER NOT NULL,
    PRIMARY KEY (ledger_account, currency)
) WITHOUT ROWID, STRICT;

-- One row an authorized call, free and inbound ones too. What is not known before
-- it has ended is null until then. A stale call that was found again has its last record.
CREATE TABLE calls (
    call               INTEGER PRIMARY KEY,
    partition          INTEGER NOT NULL REFERENCES partitions,
    offset             INTEGER,          -- of its call.started
    account            TEXT NOT NULL REFERENCES customers,
    call_id            TEXT NOT NULL,    -- may come again when the meter has forgotten the call
    direction          TEXT NOT NULL,
    from_number        TEXT NOT NULL,
    to_number          TEXT NOT NULL,
    member_id          TEXT,
    origin             TEXT,             -- of an outbound call's number, as it was when the call began
    charged            INTEGER NOT NULL, -- 1 or 0
    destination        TEXT,
    prefix             TEXT,
    deck_id            TEXT REFERENCES decks,
    price_micros       INTEGER,          -- per minute
    fx_from            TEXT REFERENCES currencies, -- where the deck has another currency: fx_from costs
    fx_rate            TEXT,                       -- so much of the account's
    currency           TEXT NOT NULL REFERENCES currencies,
    started_at         TEXT NOT NULL,
    ended_at           TEXT,
    duration_ms        INTEGER,          -- talk time
    billed_ms          INTEGER,
    amount_micros      INTEGER NOT NULL, -- what the ledger has charged for it, in the range or not
    uncollected_micros INTEGER,
    voicemail          INTEGER,          -- 1 or 0
    ended_by           TEXT,
    price              TEXT GENERATED ALWAYS AS (iif(price_micros IS NULL, NULL,
                           printf('%d.%06d', price_micros / 1000000, price_micros % 1000000))),
    amount             TEXT GENERATED ALWAYS AS (printf('%d.%06d', amount_micros / 1000000, amount_micros % 1000000)),
    uncollected        TEXT GENERATED ALWAYS AS (iif(uncollected_micros IS NULL, NULL,
                           printf('%d.%06d', uncollected_micros / 1000000, uncollected_micros % 1000000))),
    UNIQUE (partition, offset)
) STRICT;

CREATE TABLE entries (
    partition      INTEGER NOT NULL REFERENCES partitions,
    entry          INTEGER NOT NULL, -- 1, 2, 3 ... in each partition
    offset         INTEGER NOT NULL, -- of the event that caused it
    time           TEXT NOT NULL,    -- partition time
    date           TEXT NOT NULL,    -- the day that the money belongs to
    for_date       TEXT,             -- the day it came too late for
    kind           TEXT NOT NULL CHECK (kind IN ('topup', 'call', 'topup_reversal')),
    account        TEXT NOT NULL REFERENCES customers,
    currency       TEXT NOT NULL REFERENCES currencies,
    amount_micros  INTEGER NOT NULL, -- seen from the customer: above zero raises the credits
    balance_micros INTEGER NOT NULL, -- of the account after it
    reference      TEXT NOT NULL,    -- the top-up or call
    call           INTEGER REFERENCES calls,
    hash           TEXT NOT NULL,    -- of the chain
    amount         TEXT GENERATED ALWAYS AS (printf('%s%d.%06d', iif(amount_micros < 0, '-', ''),
                       abs(amount_micros / 1000000), abs(amount_micros % 1000000))),
    balance        TEXT GENERATED ALWAYS AS (printf('%s%d.%06d', iif(balance_micros < 0, '-', ''),
                       abs(balance_micros / 1000000), abs(balance_micros % 1000000))),
    PRIMARY KEY (partition, entry)
) WITHOUT ROWID, STRICT;

-- An entry's sum to zero in each currency.
CREATE TABLE postings (
    partition      INTEGER NOT NULL,
    entry          INTEGER NOT NULL,
    posting        INTEGER NOT NULL, -- 1, 2, 3 ...
    ledger_account TEXT NOT NULL REFERENCES ledger_accounts,
    currency       TEXT NOT NULL REFERENCES currencies,
    amount_micros  INTEGER NOT NULL,
    amount         TEXT GENERATED ALWAYS AS (printf('%s%d.%06d', iif(amount_micros < 0, '-', ''),
                       abs(amount_micros / 1000000), abs(amount_micros % 1000000))),
    PRIMARY KEY (partition, entry, posting),
    FOREIGN KEY (partition, entry) REFERENCES entries
) WITHOUT ROWID, STRICT;

-- Which call is meant: the last one that was authorized under that id.
CREATE INDEX calls_of_account ON calls (account, call_id);

-- The usual questions.

-- Every posting with what its entry says.
CREATE VIEW journal AS
    SELECT p.partition, p.entry, p.posting, e.offset, e.time, e.date, e.for_date, e.kind, e.account, e.reference, e.call,
           p.ledger_account, p.currency, p.amount, p.amount_micros
    FROM postings p JOIN entries e USING (partition, entry);

-- Where each ledger account stood before the range, what came in it, where it stands.
CREATE VIEW trial_balance AS
    SELECT ledger_account, class, currency,
           printf('%s%d.%06d', iif(o < 0, '-', ''), abs(o / 1000000), abs(o % 1000000)) AS opening,
           printf('%s%d.%06d', iif(m < 0, '-', ''), abs(m / 1000000), abs(m % 1000000)) AS movement,
           printf('%s%d.%06d', iif(o + m < 0, '-', ''), abs((o + m) / 1000000), abs((o + m) % 1000000)) AS closing,
           o AS opening_micros, m AS movement_micros, o + m AS closing_micros
    FROM (SELECT ledger_account, currency, sum(o) AS o, sum(m) AS m
          FROM (SELECT ledger_account, currency, amount_micros AS o, 0 AS m FROM opening
                UNION ALL SELECT ledger_account, currency, 0, amount_micros FROM postings)
          GROUP BY ledger_account, currency)
    JOIN ledger_accounts USING (ledger_account);

-- Each customer: credits before the range, what came and went in it, credits after it;
-- and what chargebacks found no credits for, since the beginning.
CREATE VIEW balances AS
    SELECT partition, account, currency,
           printf('%s%d.%06d', iif(o < 0, '-', ''), abs(o / 1000000), abs(o % 1000000)) AS opening,
           printf('%d.%06d', t / 1000000, t % 1000000) AS topups,
           printf('%s%d.%06d', iif(c < 0, '-', ''), abs(c / 1000000), abs(c % 1000000)) AS calls,
           printf('%s%d.%06d', iif(r < 0, '-', ''), abs(r / 1000000), abs(r % 1000000)) AS reversals,
           printf('%s%d.%06d', iif(o + t + c + r < 0, '-', ''), abs((o + t + c + r) / 1000000),
                  abs((o + t + c + r) % 1000000)) AS closing,
           o AS opening_micros, t AS topups_micros, c AS calls_micros, r AS reversals_micros,
           o + t + c + r AS closing_micros, entries, last_entry,
           printf('%s%d.%06d', iif(f < 0, '-', ''), abs(f / 1000000), abs(f % 1000000)) AS receivable,
           f AS receivable_micros
    FROM (SELECT partition, account, currency,
                 ifnull((SELECT -amount_micros FROM opening o
                         WHERE o.ledger_account = 'customer:' || account AND o.currency = customers.currency), 0) AS o,
                 ifnull((SELECT amount_micros FROM opening o
                         WHERE o.ledger_account = 'receivable:' || account AND o.currency = customers.currency), 0)
                 + (SELECT ifnull(sum(amount_micros), 0) FROM postings p
                    WHERE p.ledger_account = 'receivable:' || account AND p.currency = customers.currency) AS f,
                 ifnull(t, 0) AS t, ifnull(c, 0) AS c, ifnull(r, 0) AS r, ifnull(entries, 0) AS entries, last_entry
          FROM customers
          LEFT JOIN (SELECT account, count(*) AS entries, max(entry) AS last_entry,
                            sum(iif(kind = 'topup', amount_micros, 0)) AS t,
                            sum(iif(kind = 'call', amount_micros, 0)) AS c,
                            sum(iif(kind = 'topup_reversal', amount_micros, 0)) AS r
                     FROM entries GROUP BY account) USING (account));

-- What is owed in talk time, by currency: the sum of all credits.
CREATE VIEW open_balances AS
    SELECT currency, accounts, printf('%s%d.%06d', iif(m < 0, '-', ''), abs(m / 1000000), abs(m % 1000000)) AS amount,
           m AS amount_micros
    FROM (SELECT currency, sum(closing_micros > 0) AS accounts, sum(closing_micros) AS m FROM balances GROUP BY currency);

CREATE VIEW revenue_by_day AS
    SELECT date, currency, calls, printf('%s%d.%06d', iif(m < 0, '-', ''), abs(m / 1000000), abs(m % 1000000)) AS amount,
           m AS amount_micros
    FROM (SELECT date, currency, count(DISTINCT call) AS calls, -sum(amount_micros) AS m FROM entries
          WHERE kind = 'call' GROUP BY date, currency);

CREATE VIEW revenue_by_destination AS
    SELECT destination, currency, calls,
           printf('%s%d.%06d', iif(m < 0, '-', ''), abs(m / 1000000), abs(m % 1000000)) AS amount, m AS amount_micros
    FROM (SELECT substr(ledger_account, 9) AS destination, currency, count(DISTINCT call) AS calls,
                 -sum(amount_micros) AS m
          FROM journal WHERE ledger_account GLOB 'revenue:*' GROUP BY ledger_account, currency);

CREATE VIEW revenue_by_origin AS
    SELECT origin, currency, calls, printf('%s%d.%06d', iif(m < 0, '-', ''), abs(m / 1000000), abs(m % 1000000)) AS amount,
           m AS amount_micros
    FROM (SELECT c.origin, e.currency, count(DISTINCT e.call) AS calls, -sum(e.amount_micros) AS m
          FROM entries e JOIN calls c USING (call) WHERE e.kind = 'call' GROUP BY c.origin, e.currency);

-- Money received, as the card was charged.
CREATE VIEW cash_by_day AS
    SELECT date, currency, entries,
           printf('%s%d.%06d', iif(m < 0, '-', ''), abs(m / 1000000), abs(m % 1000000)) AS amount, m AS amount_micros
    FROM (SELECT date, currency, count(*) AS entries, sum(amount_micros) AS m
          FROM journal WHERE ledger_account GLOB 'cash:*' GROUP BY date, currency);

-- Credits granted for more (or, below zero, for less) than was paid.
CREATE VIEW promotions AS
    SELECT date, partition, entry, account, reference, currency, amount, amount_micros
    FROM journal WHERE ledger_account GLOB 'promotion:*';

-- What exchange left in each currency: paid in one, granted in another.
CREATE VIEW fx_positions AS
    SELECT currency, opening, movement, closing, closing_micros FROM trial_balance WHERE class = 'fx';

-- Customers who owe money after a chargeback, for finance to collect.
CREATE VIEW receivables AS
    SELECT substr(ledger_account, 12) AS account, currency, closing AS amount, closing_micros AS amount_micros
    FROM trial_balance WHERE class = 'receivable' AND closing_micros <> 0;

-- Each chargeback: what the bank took back, what credits covered, what is still owed.
CREATE VIEW chargebacks AS
    SELECT e.date, e.partition, e.entry, e.account, e.reference AS topup_id,
           (SELECT j.currency FROM postings j WHERE j.partition = e.partition AND j.entry = e.entry
            AND j.ledger_account GLOB 'cash:*') AS cash_currency,
           (SELECT j.amount FROM postings j WHERE j.partition = e.partition AND j.entry = e.entry
            AND j.ledger_account GLOB 'cash:*') AS cash,
           e.currency, e.amount AS credits,
           ifnull((SELECT j.amount FROM postings j WHERE j.partition = e.partition AND j.entry = e.entry
                   AND j.ledger_account GLOB 'receivable:*'), '0.000000') AS receivable
    FROM entries e WHERE e.kind = 'topup_reversal';

-- Talk time that no credits covered.
CREATE VIEW uncollected AS
    SELECT account, call_id, destination, started_at, ended_at, duration_ms, billed_ms, ended_by, currency, amount,
           uncollected, uncollected_micros
    FROM calls WHERE uncollected_micros > 0;

-- All calls of each account, the latest first: WHERE account = '...'.
CREATE VIEW calls_by_account AS
    SELECT account, started_at, from_number, to_number, destination, duration_ms, billed_ms, price, amount, uncollected,
           currency, ended_by, call_id, partition || '-' || offset AS place
    FROM calls ORDER BY account, started_at DESC, call DESC;
