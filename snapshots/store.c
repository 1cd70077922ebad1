/* store.c - see store.h; byte layouts in FORMAT.md.
 *
 * One long-lived read transaction serves all loads and is renewed after each
 * checkpoint, so that a load costs no transaction of its own. Checkpoints put
 * their records through one cursor: records come in key order, and LMDB then
 * seldom descends the tree. Loads and a checkpoint may be two threads': each has
 * its transaction, and the map is moved while there is but one. Between checkpoints nothing is written, so pages
 * need not be synced but by a commit that asks for it; such a commit is synced
 * in LMDB's own order, data before meta page, and survives the machine.
 */
#include "snapshots/store.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "processor/fold/fold.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"

#define MAP_SMALLEST  ((size_t)64 << 20) /* bytes of address space; the file is only as large as its records */
#define READERS_MAX   126
#define HEADER_MAGIC  "callfold"
#define HEADER_FORMAT 1
#define HEADER_SIZE   172
#define HEADER_KEY    "header"

struct store {
    MDB_env *env;
    MDB_dbi records, header;
    MDB_txn *read;  /* always there; renewed after a checkpoint */
    MDB_txn *write; /* of the checkpoint that is going on */
    MDB_cursor *cursor;
    bool is_full;    /* the map, in the checkpoint before */
    int put_result;  /* the first that was not MDB_SUCCESS in this checkpoint */
    int read_result; /* the last of a load or a scan that was neither found nor missing */
    char path[PATH_MAX];
};

static MDB_val value_of(struct text text)
{
    return (MDB_val){text.len, (void *)(uintptr_t)text.at};
}

static struct text text_of_value(MDB_val value)
{
    return (struct text){value.mv_size > 0 ? value.mv_data : "", value.mv_size};
}

static bool is_damage(int result)
{
    return result == MDB_CORRUPTED || result == MDB_PAGE_NOTFOUND || result == MDB_INVALID || result == MDB_PANIC;
}

/* A fault that LMDB gave: either an errno or one of its own negative codes. It
 * says EIO for a short write too, which is what the end of a disk looks like. */
static bool fail_with_lmdb(struct store_error *error, int result, const char *to_do, const char *path)
{
    if (result == EIO)
        return fail_with(error, EX_IOERR,
                         "cannot %s %s: the disk is full or failed; make room, or see the system's log, and run the "
                         "same command again: nothing is lost",
                         to_do, path);
    if (result > 0)
        return fail_with_errno(error, result, to_do, path);
    return fail_with(error, is_damage(result) ? EX_DATAERR : EX_CONFIG,
                     "cannot %s %s: %s; if this stays so, move that directory away: it is folded anew from the log",
                     to_do, path, mdb_strerror(result));
}

/* The header's bytes. */

static char *pack_u32(char *at, uint32_t number)
{
    number = htobe32(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static char *pack_u64(char *at, uint64_t number)
{
    number = htobe64(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static const char *unpack_u32(const char *at, uint32_t *number)
{
    memcpy(number, at, sizeof *number);
    *number = be32toh(*number);
    return at + sizeof *number;
}

static const char *unpack_u64(const char *at, uint64_t *number)
{
    memcpy(number, at, sizeof *number);
    *number = be64toh(*number);
    return at + sizeof *number;
}

static const char *unpack_i64(const char *at, int64_t *number)
{
    uint64_t bits;
    at = unpack_u64(at, &bits);
    *number = (int64_t)bits;
    return at;
}

static void pack_header(const struct store_header *header, char bytes[HEADER_SIZE])
{
    char *at = bytes;
    memcpy(at, HEADER_MAGIC, 8);
    at = pack_u32(at + 8, HEADER_FORMAT);
    at = pack_u32(at, header->fold_version);
    at = pack_u32(at, header->partition);
    at = pack_u32(at, header->partition_count);
    at = pack_u32(at, header->clean);
    at = pack_u64(at, (uint64_t)header->next_offset);
    at = pack_u64(at, (uint64_t)header->entries);
    at = pack_u64(at, (uint64_t)header->inputs);
    at = pack_u64(at, (uint64_t)header->source_position);
    at = pack_u64(at, (uint64_t)header->source_lines);
    at = pack_u64(at, header->source_check);
    memcpy(at, header->chain, sizeof header->chain);
    memcpy(at + sizeof header->chain, header->digest, sizeof header->digest);
}

/* The format number goes to *format; false when the bytes are no header of ours. */
static bool unpack_header(struct text bytes, struct store_header *header, uint32_t *format)
{
    *format = 0;
    if (bytes.len < 12 || memcmp(bytes.at, HEADER_MAGIC, 8) != 0)
        return false;
    const char *at = unpack_u32(bytes.at + 8, format);
    if (*format != HEADER_FORMAT || bytes.len != HEADER_SIZE)
        return false;
    at = unpack_u32(at, &header->fold_version);
    at = unpack_u32(at, &header->partition);
    at = unpack_u32(at, &header->partition_count);
    at = unpack_u32(at, &header->clean);
    at = unpack_i64(at, &header->next_offset);
    at = unpack_i64(at, &header->entries);
    at = unpack_i64(at, &header->inputs);
    at = unpack_i64(at, &header->source_position);
    at = unpack_i64(at, &header->source_lines);
    at = unpack_u64(at, &header->source_check);
    memcpy(header->chain, at, sizeof header->chain);
    memcpy(header->digest, at + sizeof header->chain, sizeof header->digest);
    return true;
}

static bool read_header(struct store *store, struct store_header *header, struct store_error *error)
{
    MDB_val key = value_of(TEXT_LIT(HEADER_KEY)), value;
    *header = (struct store_header){0};
    int result = mdb_get(store->read, store->header, &key, &value);
    if (result == MDB_NOTFOUND)
        return true;
    if (result != MDB_SUCCESS)
        return fail_with_lmdb(error, result, "read the header of", store->path);
    uint32_t format;
    if (unpack_header(text_of_value(value), header, &format))
        return true;
    return fail_with(error, EX_CONFIG,
                     "%s has a header of format %" PRIu32 ", this program reads format %d; use the program that wrote "
                     "it, or move the directory away: it is folded anew from the log",
                     store->path, format, HEADER_FORMAT);
}

/* Opening. */

static int open_databases(struct store *store, MDB_txn *txn, unsigned flags)
{
    int result = mdb_dbi_open(txn, "records", flags, &store->records);
    if (result == MDB_SUCCESS)
        result = mdb_dbi_open(txn, "header", flags, &store->header);
    return result;
}

/* A database that is opened in a transaction that is then committed stays open. */
static int create_databases(struct store *store)
{
    MDB_txn *txn;
    int result = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (result != MDB_SUCCESS)
        return result;
    result = open_databases(store, txn, MDB_CREATE);
    if (result == MDB_SUCCESS)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return result;
}

/* Another process may have grown the map since this one looked: adopt its size. */
static int begin_reading(struct store *store)
{
    int result = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->read);
    if (result != MDB_MAP_RESIZED)
        return result;
    result = mdb_env_set_mapsize(store->env, 0);
    return result == MDB_SUCCESS ? mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->read) : result;
}

static int open_environment(struct store *store, enum store_mode mode)
{
    int dead;
    unsigned flags = MDB_NOTLS | (mode == STORE_READ_WRITE ? MDB_NOSYNC : MDB_RDONLY);
    if (mode == STORE_READ_COPY)
        flags |= MDB_NOLOCK;
    int result = mdb_env_create(&store->env);
    if (result == MDB_SUCCESS)
        result = mdb_env_set_maxdbs(store->env, 2);
    if (result == MDB_SUCCESS)
        result = mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (result == MDB_SUCCESS && mode == STORE_READ_WRITE)
        result = mdb_env_set_mapsize(store->env, MAP_SMALLEST); /* a larger file raises it by itself */
    if (result == MDB_SUCCESS)
        result = mdb_env_open(store->env, store->path, flags, 0666);
    if (result == MDB_SUCCESS)
        result = mdb_reader_check(store->env, &dead);
    if (result == MDB_SUCCESS && mode == STORE_READ_WRITE)
        result = create_databases(store);
    if (result == MDB_SUCCESS)
        result = begin_reading(store);
    if (result == MDB_SUCCESS && mode != STORE_READ_WRITE)
        result = open_databases(store, store->read, 0);
    return result;
}

struct store *store_open_at(const char *path, enum store_mode mode, struct store_header *header,
                            struct store_error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        abort();
    snprintf(store->path, sizeof store->path, "%s", path);
    if (mode == STORE_READ_WRITE && !make_directories(store->path, error)) {
        free(store);
        return NULL;
    }
    int result = open_environment(store, mode);
    if (result != MDB_SUCCESS)
        fail_with_lmdb(error, result, "open", store->path);
    if (result == MDB_SUCCESS && read_header(store, header, error))
        return store;
    store_close(store);
    return NULL;
}

struct store *store_open(const char *dir, uint32_t partition, enum store_mode mode, struct store_header *header,
                         struct store_error *error)
{
    char path[PATH_MAX];
    store_path(path, dir, partition);
    return store_open_at(path, mode, header, error);
}

void store_close(struct store *store)
{
    if (store->write != NULL)
        store_abort(store);
    if (store->read != NULL)
        mdb_txn_abort(store->read);
    mdb_env_close(store->env);
    free(store);
}

/* Copying. */

/* The copy has a transaction of its own, and none of ours may be active when
 * the map has to be adopted again. Free pages are left out: what is copied is
 * as large as its records, and LMDB descends the whole tree for it. */
static int copy_environment(struct store *store, int fd)
{
    mdb_txn_abort(store->read);
    store->read = NULL;
    int result = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);
    if (result != MDB_MAP_RESIZED)
        return result;
    result = mdb_env_set_mapsize(store->env, 0);
    return result == MDB_SUCCESS ? mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT) : result;
}

bool store_copy(const char *dir, uint32_t partition, int fd, const char *name, struct store_error *error)
{
    struct store_header header;
    struct store *store = store_open(dir, partition, STORE_READ_ONLY, &header, error);
    if (store == NULL)
        return false;
    int result = copy_environment(store, fd);
    if (result != MDB_SUCCESS)
        fail_with_lmdb(error, result, result > 0 ? "write" : "copy", result > 0 ? name : store->path);
    store_close(store);
    return result == MDB_SUCCESS;
}

/* Reading. */

bool store_load(void *opaque, struct text key, struct text *body)
{
    struct store *store = opaque;
    MDB_val wanted = value_of(key), value;
    int result = mdb_get(store->read, store->records, &wanted, &value);
    if (result != MDB_SUCCESS && result != MDB_NOTFOUND)
        store->read_result = result;
    if (result != MDB_SUCCESS)
        return false;
    *body = text_of_value(value);
    return true;
}

bool store_is_sound(const struct store *store, struct store_error *error)
{
    return store->read_result == MDB_SUCCESS || fail_with_lmdb(error, store->read_result, "read", store->path);
}

bool store_scan(struct store *store, struct text prefix, store_visit *visit, void *context)
{
    MDB_cursor *cursor;
    if (mdb_cursor_open(store->read, store->records, &cursor) != MDB_SUCCESS)
        abort(); /* only memory can be missing */
    MDB_val key = value_of(prefix), value;
    bool go_on = true;
    int result = mdb_cursor_get(cursor, &key, &value, prefix.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (go_on && result == MDB_SUCCESS && key.mv_size >= prefix.len &&
           (prefix.len == 0 || memcmp(key.mv_data, prefix.at, prefix.len) == 0)) {
        go_on = visit(context, text_of_value(key), text_of_value(value));
        result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (result != MDB_SUCCESS && result != MDB_NOTFOUND)
        store->read_result = result;
    mdb_cursor_close(cursor);
    return go_on;
}

static bool add_hash(void *context, struct text key, struct text body)
{
    uint64_t *sum = context, hash[2];
    fold_record_hash(key, body, hash);
    fold_digest_add(sum, hash);
    return true;
}

void store_digest(struct store *store, char digest[32])
{
    uint64_t sum[2] = {0, 0};
    store_scan(store, TEXT_LIT(""), add_hash, sum);
    fold_digest_format(sum, digest);
}

/* Checkpoints. */

/* The map can only be moved while no transaction is active. */
static int grow_map(struct store *store)
{
    MDB_envinfo info;
    mdb_env_info(store->env, &info);
    mdb_txn_reset(store->read);
    int result = mdb_env_set_mapsize(store->env, info.me_mapsize * 2);
    int renewed = mdb_txn_renew(store->read);
    return result != MDB_SUCCESS ? result : renewed;
}

/* Grows ahead, so that a checkpoint seldom has to be begun again. */
static int keep_map_roomy(struct store *store)
{
    MDB_envinfo info;
    MDB_stat stat;
    mdb_env_info(store->env, &info);
    mdb_env_stat(store->env, &stat);
    bool is_roomy = !store->is_full && (info.me_last_pgno + 1) * stat.ms_psize <= info.me_mapsize / 2;
    store->is_full = false;
    return is_roomy ? MDB_SUCCESS : grow_map(store);
}

bool store_prepare(struct store *store, struct store_error *error)
{
    int dead;
    int result = mdb_reader_check(store->env, &dead);
    if (result == MDB_SUCCESS)
        result = keep_map_roomy(store);
    return result == MDB_SUCCESS || fail_with_lmdb(error, result, "write to", store->path);
}

bool store_begin(struct store *store, struct store_error *error)
{
    int result = mdb_txn_begin(store->env, NULL, 0, &store->write);
    if (result == MDB_SUCCESS)
        result = mdb_cursor_open(store->write, store->records, &store->cursor);
    store->put_result = MDB_SUCCESS;
    return result == MDB_SUCCESS || fail_with_lmdb(error, result, "write to", store->path);
}

static int remove_record(struct store *store, MDB_val key)
{
    MDB_val value;
    int result = mdb_cursor_get(store->cursor, &key, &value, MDB_SET);
    if (result == MDB_NOTFOUND)
        return MDB_SUCCESS; /* born and gone since the last checkpoint */
    return result == MDB_SUCCESS ? mdb_cursor_del(store->cursor, 0) : result;
}

void store_put(void *opaque, struct text key, struct text body)
{
    struct store *store = opaque;
    if (store->put_result != MDB_SUCCESS)
        return;
    MDB_val name = value_of(key), value = value_of(body);
    store->put_result =
        text_present(body) ? mdb_cursor_put(store->cursor, &name, &value, 0) : remove_record(store, name);
}

static int put_header(struct store *store, const struct store_header *header)
{
    char bytes[HEADER_SIZE];
    pack_header(header, bytes);
    MDB_val key = value_of(TEXT_LIT(HEADER_KEY)), value = {sizeof bytes, bytes};
    return mdb_put(store->write, store->header, &key, &value, 0);
}

static int commit_write(struct store *store, bool sync)
{
    mdb_cursor_close(store->cursor);
    mdb_env_set_flags(store->env, MDB_NOSYNC, sync ? 0 : 1);
    if (sync)
        FAIL_POINT("fsync");
    int result = mdb_txn_commit(store->write);
    store->write = NULL;
    return result;
}

bool store_commit(struct store *store, const struct store_header *header, bool sync, struct store_error *error)
{
    int result = store->put_result;
    if (result == MDB_SUCCESS)
        result = put_header(store, header);
    if (result == MDB_SUCCESS)
        result = commit_write(store, sync);
    else
        store_abort(store);
    if (result == MDB_SUCCESS)
        return true;
    store->is_full = result == MDB_MAP_FULL;
    if (store->is_full)
        return fail_with(error, EX_OK, "the map of %s is full", store->path);
    return fail_with_lmdb(error, result, "write to", store->path);
}

bool store_renew(struct store *store, struct store_error *error)
{
    mdb_txn_reset(store->read);
    int result = mdb_txn_renew(store->read);
    return result == MDB_SUCCESS || fail_with_lmdb(error, result, "read", store->path);
}

void store_abort(struct store *store)
{
    mdb_cursor_close(store->cursor);
    mdb_txn_abort(store->write);
    store->write = NULL;
}
