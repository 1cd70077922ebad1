/* The input chain (contract, section 8): one running SHA-256 over every record,
 * finished at each attestation and begun again from what it gave.
 *
 * Records are small and OpenSSL is quickest by the block, so what is to be
 * hashed waits until there is enough of it. */
#include "processor/fold/internal.h"

_Static_assert(sizeof(SHA256_CTX) == sizeof(((struct partition_record *)0)->input_state),
               "records.h keeps a SHA256_CTX");

enum { HEAD_SIZE = 8 + 8 + 4, SIZE_SIZE = 4 };

static void drain(struct input_chain *input)
{
    SHA256_Update(&input->sha, input->waiting, input->waiting_len);
    input->waiting_len = 0;
}

static uint8_t *room_for(struct input_chain *input, size_t size)
{
    if (sizeof input->waiting - input->waiting_len < size)
        drain(input);
    uint8_t *at = input->waiting + input->waiting_len;
    input->waiting_len += size;
    return at;
}

static void take_bytes(struct input_chain *input, struct text bytes)
{
    if (bytes.len > sizeof input->waiting) {
        drain(input);
        SHA256_Update(&input->sha, bytes.at, bytes.len);
    } else if (bytes.len > 0) {
        memcpy(room_for(input, bytes.len), bytes.at, bytes.len);
    }
}

void input_take(struct fold *fold, const struct fold_record *record)
{
    struct input_chain *input = &fold->input;
    uint8_t *head = room_for(input, HEAD_SIZE);
    put_be(head, (uint64_t)record->offset, 8);
    put_be(head + 8, record->has_timestamp ? (uint64_t)record->timestamp_ms : 0, 8);
    put_be(head + 16, record->key.len, 4);
    take_bytes(input, record->key);
    put_be(room_for(input, SIZE_SIZE), record->value.len, SIZE_SIZE);
    take_bytes(input, record->value);
    fold->p->inputs++;
}

void input_begin(struct fold *fold)
{
    fold->input.waiting_len = 0;
    SHA256_Init(&fold->input.sha);
    SHA256_Update(&fold->input.sha, fold->p->attested_input, HASH_SIZE);
}

void input_attest(struct fold *fold)
{
    drain(&fold->input);
    SHA256_Final(fold->p->attested_input, &fold->input.sha);
    input_begin(fold);
}

void input_keep(struct fold *fold)
{
    drain(&fold->input);
    memcpy(fold->p->input_state, &fold->input.sha, sizeof fold->p->input_state);
    state_changed(fold->state, fold->partition_record);
}

void input_restore(struct fold *fold)
{
    fold->input.waiting_len = 0;
    memcpy(&fold->input.sha, fold->p->input_state, sizeof fold->input.sha);
}
