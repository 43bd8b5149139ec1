// A city's identity provider for the tests: the npm package oidc-provider with its own development pages.
//
// usage: node oidc_provider.mjs MODULES PORT SECRET REDIRECT_URI; whoever logs in is believed.
import { pathToFileURL } from 'node:url';

const [modules, port, secret, redirectUri] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'shimin', client_secret: secret, redirect_uris: [redirectUri], token_endpoint_auth_method: 'client_secret_basic' }],
  claims: { profile: ['preferred_username'] },
  conformIdTokenClaims: process.env.CLAIMS_IN_ID_TOKEN !== 'yes',
  pkce: { methods: ['S256'], required: () => true },
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
});
provider.listen(Number(port), '127.0.0.1');
