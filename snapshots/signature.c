/* signature.c - see signature.h. */
#include "snapshots/signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "snapshots/files.h"

struct signature_key {
    EVP_PKEY *key;
};

/* Without it libcrypto asks the terminal for a passphrase. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return 0;
}

static FILE *open_private(const char *path, struct store_error *error)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_with_errno(error, errno, "read the key", path);
        return NULL;
    }
    if (fstat(fileno(file), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return file;
    fclose(file);
    fail_with(error, EX_CONFIG, "%s is a private key and others than its owner can get at it; chmod 600 %s", path,
              path);
    return NULL;
}

static struct signature_key *take_key(EVP_PKEY *pkey, const char *path, const char *kind, const char *way_out,
                                      struct store_error *error)
{
    if (pkey == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        fail_with(error, EX_CONFIG, "%s holds no Ed25519 %s key in PEM form, without a passphrase; %s", path, kind,
                  way_out);
        return NULL;
    }
    struct signature_key *key = malloc(sizeof *key);
    if (key == NULL)
        abort();
    key->key = pkey;
    return key;
}

struct signature_key *signature_private_key(const char *path, struct store_error *error)
{
    FILE *file = open_private(path, error);
    if (file == NULL)
        return NULL;
    EVP_PKEY *pkey = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
    fclose(file);
    return take_key(pkey, path, "private", "make one with: openssl genpkey -algorithm ed25519 -out FILE", error);
}

struct signature_key *signature_public_key(const char *path, struct store_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_with_errno(error, errno, "read the key", path);
        return NULL;
    }
    EVP_PKEY *pkey = PEM_read_PUBKEY(file, NULL, no_passphrase, NULL);
    fclose(file);
    return take_key(pkey, path, "public", "write it with: openssl pkey -in PRIVATE -pubout -out FILE", error);
}

void signature_key_free(struct signature_key *key)
{
    if (key != NULL)
        EVP_PKEY_free(key->key);
    free(key);
}

bool signature_make(const struct signature_key *key, struct text bytes, uint8_t signature[SIGNATURE_SIZE],
                    struct store_error *error)
{
    size_t len = SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
                EVP_DigestSign(context, signature, &len, (const uint8_t *)bytes.at, bytes.len) == 1 &&
                len == SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    return made || fail_with(error, EX_SOFTWARE, "libcrypto cannot sign with that key");
}

bool signature_fits(const struct signature_key *key, struct text bytes, struct text signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fits = context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->key) == 1 &&
                EVP_DigestVerify(context, (const uint8_t *)signature.at, signature.len, (const uint8_t *)bytes.at,
                                 bytes.len) == 1;
    EVP_MD_CTX_free(context);
    return fits;
}
