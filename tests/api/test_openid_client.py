"""openid-client (npm), unmodified, obtains tokens in each way that the metadata promise.

SHIMIN_NODE_MODULES names the folder where it is installed.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from client import URL, new_client
from test_clients import b64, openssl, Key

MODULES = os.environ.get("SHIMIN_NODE_MODULES")


def private_jwk(key):
    """The pair as a JWK, as programs keep it."""
    der = openssl("pkey", "-outform", "DER", stdin=key.pem)
    if key.algorithm == "EdDSA":
        return {**key.jwk, "d": b64(der[-32:])}
    numbers = subprocess.run(["node", "-e", "process.stdout.write(JSON.stringify(require('crypto').createPrivateKey(require('fs')"
                              ".readFileSync(0)).export({format: 'jwk'})))"], input=key.pem, capture_output=True, check=True).stdout
    return {**json.loads(numbers), "kid": key.jwk["kid"]}


@unittest.skipUnless(MODULES, "SHIMIN_NODE_MODULES does not say where openid-client is")
class OpenidClient(unittest.TestCase):
    def obtain(self, **asked):
        done = subprocess.run(["node", pathlib.Path(__file__).with_name("openid_client.js"), URL, json.dumps(asked)], capture_output=True, text=True,
                              timeout=60, check=False, env={**os.environ, "NODE_PATH": MODULES, "NODE_EXTRA_CA_CERTS": os.environ["SHIMIN_CA"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["token_type"], answer["scope"], answer["before"], answer["after"]), ("Bearer", "clients", 200, 401))

    def test_it_obtains_and_revokes_a_token_by_secret(self):
        client, credential = new_client("metro", ["clients"])
        for method in ("client_secret_basic", "client_secret_post"):
            self.obtain(client_id=client["id"], method=method, secret=credential["client_secret"])

    def test_it_obtains_and_revokes_a_token_by_private_key_jwt(self):
        for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
            key = Key(algorithm)
            client, _ = new_client("metro", ["clients"], method={"method": "private_key_jwt", "jwk": key.jwk})
            self.obtain(client_id=client["id"], method="private_key_jwt", alg=algorithm, key=private_jwk(key))

    def test_it_obtains_and_revokes_a_token_by_mutual_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, pem = f"{folder}/cert.pem", f"{folder}/key.pem"
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=metro", "-keyout", pem, "-out", cert)
            client, _ = new_client("metro", ["clients"], method={"method": "self_signed_tls_client_auth", "certificate": pathlib.Path(cert).read_text()})
            self.obtain(client_id=client["id"], method="self_signed_tls_client_auth", cert=cert, pem=pem)


if __name__ == "__main__":
    unittest.main()
