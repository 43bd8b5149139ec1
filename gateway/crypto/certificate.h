/* X.509 certificates, as far as they name a client. */
#ifndef CRYPTO_CERTIFICATE_H
#define CRYPTO_CERTIFICATE_H

#include <openssl/x509.h>
#include <shimin/str.h>

/* "x5t#S256" (RFC 8705 §3.1): base64url of the SHA-256 of the certificate's DER. */
struct str certificate_digest(struct arena *arena, const X509 *certificate);
/* The subject as RFC 4514 writes it: "CN=metro,O=Metro,C=CN", UTF-8. */
struct str certificate_subject(struct arena *arena, const X509 *certificate);
/* certificate_digest of a PEM text that holds exactly one certificate; false for anything else. */
MUST_CHECK bool certificate_thumbprint(struct arena *arena, struct str pem, struct str *digest);

#endif
