// OpenSSL 3 for Swift: the headers, and its function-like macros as static inline functions.
#ifndef SLUICE_COPENSSL_H
#define SLUICE_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif
