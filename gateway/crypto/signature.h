/* Signatures: one key type and one call for every algorithm that departments use.
 *
 * | algorithm         | key           | signature                                              | source                  |
 * |-------------------|---------------|--------------------------------------------------------|-------------------------|
 * | ed25519           | Ed25519       | 64 bytes                                               | RFC 9421 §3.3.6         |
 * | ecdsa-p256-sha256 | EC P-256      | r and s, 32 bytes each                                 | RFC 9421 §3.3.4         |
 * | rsa-pss-sha512    | RSA, RSA-PSS  | modulus' length; MGF1 with SHA-512, salt of 64 bytes   | RFC 9421 §3.3.1         |
 * | rsa-pss-sha256    | RSA, RSA-PSS  | modulus' length; MGF1 with SHA-256, salt of 32 bytes   | local name; RFC 7518 §3.5|
 * | rsa-v1_5-sha256   | RSA           | modulus' length; PKCS #1 v1.5                          | RFC 9421 §3.3.2         |
 * | hmac-sha256       | shared secret | 32 bytes                                               | RFC 9421 §3.3.3         |
 * | hmac-sm3          | shared secret | 32 bytes                                               | local name              |
 * | sm2-sm3           | SM2           | r and s, 32 bytes each                                 | local name, GB/T 32918.2|
 * | sm2-sm3-der       | SM2           | DER SEQUENCE of r and s (what OpenSSL and most emit)   | local name, GB/T 32918.2|
 *
 * SM2 signs with the identity 1234567812345678 (GM/T 0009), always set explicitly: OpenSSL 3.0 would use the empty one.
 * Keys are read-only once made and may be shared by threads. Nothing here waits for anything but the processor; RSA signs in
 * a quarter of a millisecond (2048 bits), and so does SM2, which needs as long to verify: a worker that does much of it
 * offloads it. */
#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include "crypto/digest.h"

enum signature_algorithm {
    SIGNATURE_ED25519,
    SIGNATURE_ECDSA_P256_SHA256,
    SIGNATURE_RSA_PSS_SHA512,
    SIGNATURE_RSA_PSS_SHA256,
    SIGNATURE_RSA_SHA256,
    SIGNATURE_HMAC_SHA256,
    SIGNATURE_HMAC_SM3,
    SIGNATURE_SM2_SM3,
    SIGNATURE_SM2_SM3_DER,
};

const char *signature_algorithm_name(enum signature_algorithm algorithm);
MUST_CHECK bool signature_algorithm_named(struct str name, enum signature_algorithm *algorithm);
/* Whether both sides hold the same secret. */
bool signature_algorithm_is_shared(enum signature_algorithm algorithm);
/* The digest that goes with it where a scheme digests a body: SM3 for the national ones, SHA-256 for the others. */
enum digest signature_algorithm_digest(enum signature_algorithm algorithm);

struct signature_key;

/* A private key (PKCS#8 or the algorithm's own form, unencrypted) or a public key (SubjectPublicKeyInfo) in PEM. NULL, with
 * *reason a static text, when it is no such key, of another type than the algorithm needs, too small (RSA below 2048
 * bits), restricted to other parameters, or, being private, does not verify its own signature. The caller owns the key. */
MUST_CHECK struct signature_key *signature_key_from_pem(enum signature_algorithm algorithm, struct str pem,
                                                        const char **reason);
/* A shared secret of at least 16 bytes, for the HMACs. */
MUST_CHECK struct signature_key *signature_key_from_secret(enum signature_algorithm algorithm, struct str secret,
                                                           const char **reason);
/* NULL is ignored. */
void signature_key_free(struct signature_key *key);
enum signature_algorithm signature_key_algorithm(const struct signature_key *key);

/* Signs; the bytes live in the arena. false when the key is a public one, or OpenSSL refuses. */
MUST_CHECK bool signature_sign(struct arena *arena, const struct signature_key *key, struct str input, struct str *signature);
/* Whether the signature is the key's over the input. HMACs are compared in constant time. */
MUST_CHECK bool signature_verify(const struct signature_key *key, struct str input, struct str signature);

#endif
