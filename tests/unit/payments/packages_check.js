// What the packages wechatpay-axios-plugin and alipay-sdk, unmodified, say of our messages: one JSON line in, one out. Usage:
// packages_check.js NODE_MODULES.
const path = require("path");
const tools = process.argv[2];
const { Wechatpay, Rsa, Aes, Formatter } = require(path.join(tools, "wechatpay-axios-plugin"));
const { AlipaySdk } = require(path.join(tools, "alipay-sdk"));
const { sign } = require(path.join(tools, "alipay-sdk/dist/commonjs/util.js"));

const part = (field, name) => new RegExp(`${name}="([^"]*)"`).exec(field)[1];

function alipay({ app_id: appId, private_key: privateKey, public_key: alipayPublicKey, gateway }) {
  return new AlipaySdk({ appId, privateKey, alipayPublicKey, gateway, keyType: "PKCS8", timeout: 60000 });
}

// The package wants a key without its lines; a public one with them is taken as it is.
const answers = {
  wechat_request({ method, target, authorization, body, certificate }) {
    const text = Formatter.request(method, target, part(authorization, "timestamp"), part(authorization, "nonce_str"), body);
    return Rsa.verify(text, part(authorization, "signature"), Rsa.from(certificate, Rsa.KEY_TYPE_PUBLIC));
  },
  wechat_signed({ headers, body, certificate }) {
    const text = Formatter.response(headers["wechatpay-timestamp"], headers["wechatpay-nonce"], body);
    return Rsa.verify(text, headers["wechatpay-signature"], Rsa.from(certificate, Rsa.KEY_TYPE_PUBLIC));
  },
  wechat_open({ body, key }) {
    const { ciphertext, nonce, associated_data: aad } = JSON.parse(body).resource;
    return JSON.parse(Aes.AesGcm.decrypt(ciphertext, key, nonce, aad));
  },
  wechat_bridge({ cashier, certificate }) {
    const text = Formatter.joinedByLineFeed(cashier.appid, cashier.timestamp, cashier.noncestr, cashier.prepayid);
    return Rsa.verify(text, cashier.sign, Rsa.from(certificate, Rsa.KEY_TYPE_PUBLIC));
  },
  wechat_notice({ resource, event, private_key: privateKey, key }) {
    const nonce = Formatter.nonce(12), ciphertext = Aes.AesGcm.encrypt(JSON.stringify(resource), key, nonce, "transaction");
    const body = JSON.stringify({ id: Formatter.nonce(), create_time: new Date().toISOString(), event_type: event,
      resource_type: "encrypt-resource", summary: "支付成功",
      resource: { algorithm: "AEAD_AES_256_GCM", original_type: "transaction", associated_data: "transaction", nonce, ciphertext } });
    const timestamp = `${Formatter.timestamp()}`, once = Formatter.nonce();
    return { body, headers: { "wechatpay-timestamp": timestamp, "wechatpay-nonce": once,
      "wechatpay-signature": Rsa.sign(Formatter.response(timestamp, once, body), Rsa.from(privateKey, Rsa.KEY_TYPE_PRIVATE)) } };
  },
  // As a merchant of its own: its requests, and it checks what it is answered.
  async wechat_merchant({ base, mchid, serial, private_key: privateKey, platform_serial: platformSerial, certificate, order }) {
    const client = new Wechatpay({ mchid, serial, privateKey: Rsa.from(privateKey, Rsa.KEY_TYPE_PRIVATE), secret: "0".repeat(32),
      certs: { [platformSerial]: Rsa.from(certificate, Rsa.KEY_TYPE_PUBLIC) } }, { baseURL: base, timeout: 60000 });
    const made = await client.v3.pay.transactions.native.post(order, { baseURL: base });
    const { data } = await client.v3.pay.transactions.outTradeNo._out_trade_no_.get({
      baseURL: base, params: { mchid }, out_trade_no: order.out_trade_no });
    return { code: made.data.code_url, state: data.trade_state };
  },
  alipay_form({ form, ...more }) {
    return alipay(more).checkNotifySignV2(form);
  },
  async alipay_merchant({ method, content, ...more }) {
    const sdk = alipay(more);
    return sdk.exec(method, { bizContent: content }, { validateSign: true });
  },
  alipay_notice({ form, ...more }) {
    const { config } = alipay(more);
    const { sign_type: signType, ...rest } = form;
    // it signs as for a request: with its own parameters, sign_type among them, as some products' notices are
    return { ...sign("notice", rest, config, {}), sign_type: signType };
  },
};

require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  const { ask, ...more } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: await answers[ask](more) }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${error.message} ${JSON.stringify(error.response && error.response.data) || ""}` }));
  }
});
