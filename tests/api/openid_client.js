// The npm package openid-client, as it is, obtains a token from the gateway, uses it, and revokes it.
//
// usage: node openid_client.js ISSUER '{"client_id", "method", "secret" | "key" (private JWK) with "alg" | "cert" and "pem" (files)}'
// NODE_EXTRA_CA_CERTS names the authority of the gateway's certificate. Prints one JSON line: the token set, and the statuses of a
// call before and after the token was revoked.
'use strict';
const fs = require('fs');
const https = require('https');
const { Issuer, custom } = require('openid-client');

const [issuerUrl, text] = process.argv.slice(2);
const asked = JSON.parse(text);
const tls = asked.cert ? { cert: fs.readFileSync(asked.cert), key: fs.readFileSync(asked.pem) } : {};

function status(path, token) {
  return new Promise((resolve, reject) => {
    const options = { ...tls, agent: false, headers: { authorization: `Bearer ${token}` } };
    https.get(issuerUrl + path, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });
}

async function main() {
  const issuer = await Issuer.discover(`${issuerUrl}/.well-known/oauth-authorization-server`);
  const metadata = { client_id: asked.client_id, token_endpoint_auth_method: asked.method };
  if (asked.secret) metadata.client_secret = asked.secret;
  if (asked.alg) metadata.token_endpoint_auth_signing_alg = asked.alg;
  const client = new issuer.Client(metadata, asked.key && { keys: [asked.key] });
  client[custom.http_options] = () => tls;
  const tokens = await client.grant({ grant_type: 'client_credentials', scope: 'clients' });
  const before = await status('/department/v1/clients', tokens.access_token);
  await client.revoke(tokens.access_token);
  const after = await status('/department/v1/clients', tokens.access_token);
  console.log(JSON.stringify({ ...tokens, before, after }));
}

main().catch((fault) => {
  console.error(fault);
  process.exit(1);
});
