/* signature.h - who made a snapshot: Ed25519 over the bytes of a manifest.
 *
 * A detached signature of 64 bytes, as RFC 8032 has it, with keys in PEM files
 * as OpenSSL writes them. Nothing of ours is needed to make or to check one:
 *
 *     openssl genpkey -algorithm ed25519 -out key.pem
 *     openssl pkey -in key.pem -pubout -out public.pem
 *     openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in manifest.json -sigfile manifest.sig
 */
#ifndef CALLFOLD_SNAPSHOTS_SIGNATURE_H
#define CALLFOLD_SNAPSHOTS_SIGNATURE_H

#include "snapshots/store.h"

#define SIGNATURE_SIZE 64

struct signature_key;

/* Reads a key; NULL with *error. A private one that others can read is refused. */
struct signature_key *signature_private_key(const char *path, struct store_error *error);
struct signature_key *signature_public_key(const char *path, struct store_error *error);
/* NULL is let be. */
void signature_key_free(struct signature_key *key);

bool signature_make(const struct signature_key *key, struct text bytes, uint8_t signature[SIGNATURE_SIZE],
                    struct store_error *error);
/* False: it is not that key's signature of these bytes. */
bool signature_fits(const struct signature_key *key, struct text bytes, struct text signature);

#endif
