// Checks deliveries with the packages standardwebhooks and cloudevents, as a department would: one JSON line in, one out.
// In: {secret, public_key, headers, body}. Out: {event} when a signature of the secret fits, and one of the public key (if it is
// given), and the event is valid; else {error}.
const crypto = require("crypto");
const path = require("path");
const tools = process.argv[2];
const { Webhook } = require(path.join(tools, "standardwebhooks"));
const { HTTP } = require(path.join(tools, "cloudevents"));

// The package knows v1 only; v1a is Ed25519 over the same text.
function verifyPublic(key, headers, body) {
  const raw = Buffer.from(key.slice("whpk_".length), "base64");
  const prefix = Buffer.from("302a300506032b6570032100", "hex"); // SubjectPublicKeyInfo of Ed25519, RFC 8410
  const publicKey = crypto.createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" });
  const text = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const signatures = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
  if (!signatures.some((one) => crypto.verify(null, text, publicKey, Buffer.from(one.slice(4), "base64")))) {
    throw new Error("no v1a signature fits");
  }
}

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { secret, public_key: publicKey, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(body, headers);
    if (publicKey) verifyPublic(publicKey, headers, body);
    const event = HTTP.toEvent({ headers, body });
    event.validate();
    console.log(JSON.stringify({ event: event.toJSON() }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
});
