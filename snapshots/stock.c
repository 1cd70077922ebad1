/* stock.c - see stock.h. */
#include "snapshots/stock.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* as the fold that stored it */
#include <openssl/sha.h>

#include "events/hex.h"
#include "snapshots/files.h"
#include "snapshots/isolated.h"

const struct stock_kind stock_kinds[STOCK_KINDS] = {
    {RECORD_PARTITION, "partition"},
    {RECORD_POLICY, "policy"},
    {RECORD_FX, "fx"},
    {RECORD_DECK, "deck"},
    {RECORD_RATE, "rate"},
    {RECORD_RECHARGE, "recharge"},
    {RECORD_LIVE_CALL, "live_call"},
    {RECORD_ACCOUNT, "account"},
    {RECORD_MEMBER, "member"},
    {RECORD_NUMBER, "number"},
    {RECORD_ASSIGNMENT, "assignment"},
    {RECORD_BLOCK, "block"},
    {RECORD_TOPUP, "topup"},
    {RECORD_CLOSED_CALL, "closed_call"},
    {RECORD_EXPIRY, "expiry"},
};

struct scan {
    struct stock *stock;
    uint64_t sum[2];
    int64_t by_byte[UCHAR_MAX + 1];
    bool is_strange; /* a record that is none of the fold's */
    char *body;      /* the one at hand, aligned as the fold has it; LMDB's stands anywhere */
    size_t room;
    struct partition_record partition;
};

static struct text aligned(struct scan *scan, struct text body)
{
    if (body.len > scan->room) {
        free(scan->body);
        scan->room = body.len;
        scan->body = malloc(scan->room);
        if (scan->body == NULL)
            abort();
    }
    if (body.len > 0)
        memcpy(scan->body, body.at, body.len);
    return (struct text){scan->body, body.len};
}

static bool take_record(void *context, struct text key, struct text body)
{
    struct scan *scan = context;
    uint64_t hash[2];
    bool is_record =
        key.len > 0 && key.len <= RECORD_KEY_MAX && record_is_whole((enum record_kind)key.at[0], aligned(scan, body));
    scan->is_strange = scan->is_strange || !is_record;
    if (!is_record)
        return false;
    fold_record_hash(key, body, hash);
    fold_digest_add(scan->sum, hash);
    scan->by_byte[(unsigned char)key.at[0]]++;
    if (key.at[0] == RECORD_PARTITION)
        memcpy(&scan->partition, body.at, sizeof scan->partition);
    return true;
}

/* The running hash is finished here as an attestation would. False when it is
 * none: its fill is an index inside libcrypto. */
static bool take_inputs(struct stock *stock, const struct partition_record *partition)
{
    SHA256_CTX running;
    uint8_t sum[HASH_SIZE];
    memcpy(&running, partition->input_state, sizeof running);
    if (running.num >= SHA256_CBLOCK || running.md_len != SHA256_DIGEST_LENGTH)
        return false;
    SHA256_Final(sum, &running);
    hex_encode(partition->attested_input, HASH_SIZE, stock->input);
    hex_encode(sum, HASH_SIZE, stock->input_since);
    return true;
}

static bool counts_add_up(const struct scan *scan)
{
    int64_t all = 0, named = 0;
    for (size_t i = 0; i <= UCHAR_MAX; i++)
        all += scan->by_byte[i];
    for (size_t i = 0; i < STOCK_KINDS; i++)
        named += scan->stock->records[i] = scan->by_byte[(unsigned char)stock_kinds[i].kind];
    return all == named && scan->by_byte[RECORD_PARTITION] == 1;
}

static bool is_hex(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isxdigit((unsigned char)at[i]) || isupper((unsigned char)at[i]))
            return false;
    return true;
}

static bool agrees(const struct stock *stock, const struct partition_record *partition)
{
    const struct store_header *header = &stock->header;
    return partition->next_offset == header->next_offset && partition->entries == header->entries &&
           partition->inputs == header->inputs && memcmp(partition->chain, header->chain, sizeof header->chain) == 0 &&
           is_hex(header->chain, sizeof header->chain);
}

static bool take_stock(struct store *store, const char *path, struct stock *stock)
{
    struct scan scan = {.stock = stock};
    struct store_error *error = &stock->error;
    store_scan(store, TEXT_LIT(""), take_record, &scan);
    free(scan.body);
    if (!store_is_sound(store, error))
        return false;
    if (scan.is_strange || !counts_add_up(&scan) || !take_inputs(stock, &scan.partition))
        return fail_with(error, EX_DATAERR, "%s holds a record that callfold never wrote", path);
    fold_digest_format(scan.sum, stock->digest);
    if (memcmp(stock->digest, stock->header.digest, DIGEST_HEX) != 0)
        return fail_with(error, EX_DATAERR, "%s: the digest of its records is %.*s, its header says %.*s", path,
                         DIGEST_HEX, stock->digest, DIGEST_HEX, stock->header.digest);
    stock->partition_time_ms = scan.partition.time_ms;
    return agrees(stock, &scan.partition) ||
           fail_with(error, EX_DATAERR, "%s: its header says offset %" PRId64 ", the records in it %" PRId64, path,
                     stock->header.next_offset, scan.partition.next_offset);
}

static bool check_version(const struct stock *stock, const char *path, struct store_error *error)
{
    uint32_t version = stock->header.fold_version;
    if (version == 0)
        return fail_with(error, EX_DATAERR, "%s holds no state", path);
    return version == FOLD_VERSION ||
           fail_with(error, EX_CONFIG,
                     "%s was folded by version %" PRIu32
                     " of the rules, this program reads version %d: use the callfold-snapshot that belongs to it",
                     path, version, FOLD_VERSION);
}

static int work(void *context)
{
    const struct stocktaking *taking = context;
    struct stock *stock = taking->stock;
    struct store *store = store_open_at(taking->path, STORE_READ_COPY, &stock->header, &stock->error);
    if (store == NULL)
        return EX_DATAERR;
    bool taken = check_version(stock, taking->path, &stock->error) && take_stock(store, taking->path, stock);
    store_close(store);
    return taken ? EX_OK : EX_DATAERR;
}

void stock_begin(struct stocktaking *taking, const char *path)
{
    taking->stock = isolated_memory(sizeof *taking->stock);
    snprintf(taking->path, sizeof taking->path, "%s", path);
    taking->child = isolated_start(work, taking);
}

bool stock_end(struct stocktaking *taking, struct stock *stock, struct store_error *error)
{
    int code = isolated_end(taking->child);
    *stock = *taking->stock;
    isolated_memory_free(taking->stock, sizeof *taking->stock);
    if (code == EX_OK)
        return true;
    *error = stock->error;
    if (code == EX_DATAERR)
        return false;
    return fail_with(error, EX_DATAERR, "%s: the " STORE_FILE " in it is no store that can be read", taking->path);
}
