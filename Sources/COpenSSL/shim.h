// OpenSSL 3 for Swift: the headers, and its function-like macros as static inline functions.
#ifndef SLUICE_COPENSSL_H
#define SLUICE_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <string.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Swift does not import constants whose value is an expression with a cast.
static const uint64_t shim_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t shim_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;
static const uint64_t shim_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t shim_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t shim_SSL_OP_IGNORE_UNEXPECTED_EOF = SSL_OP_IGNORE_UNEXPECTED_EOF;
static const int shim_BIO_TYPE_SOURCE_SINK = BIO_TYPE_SOURCE_SINK;

static inline void shim_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void shim_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline long shim_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}
static inline long shim_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_max_proto_version(context, version);
}
static inline long shim_SSL_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long shim_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}
static inline long shim_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *list) {
    return SSL_CTX_set1_groups_list(context, (char *)list);
}
static inline long shim_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate);
}
static inline long shim_SSL_CTX_set_tlsext_servername_callback(
    SSL_CTX *context, int (*callback)(SSL *, int *, void *)) {
    return SSL_CTX_set_tlsext_servername_callback(context, callback);
}
static inline long shim_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, (char *)name);
}

// HMAC-SHA-256 (RFC 2104) under one key, many times: what the key alone decides is computed once, and copied. The functions of EVP
// allocate a context each time, and cost several times what they compute; these are as old as OpenSSL, and only marked as such.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
typedef struct {
    SHA256_CTX inner, outer;
} shim_KeyedSHA256;

static inline void shim_KeyedSHA256_init(shim_KeyedSHA256 *state, const uint8_t *key, size_t count) {
    uint8_t block[SHA256_CBLOCK] = {0};
    if (count > sizeof block) {
        SHA256(key, count, block);
    } else if (count > 0) {
        memcpy(block, key, count);
    }
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    SHA256_Init(&state->inner);
    SHA256_Update(&state->inner, block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&state->outer);
    SHA256_Update(&state->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

static inline void shim_KeyedSHA256_hash(const shim_KeyedSHA256 *state, const void *text, size_t count, uint8_t *result) {
    SHA256_CTX context = state->inner;
    SHA256_Update(&context, text, count);
    SHA256_Final(result, &context);
    context = state->outer;
    SHA256_Update(&context, result, SHA256_DIGEST_LENGTH);
    SHA256_Final(result, &context);
}
#pragma GCC diagnostic pop
#endif
