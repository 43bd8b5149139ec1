"""Citizens who log in as people do, through the sandbox's SMS, and the millions who only fill the tables."""
import json
import re
import urllib.parse

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity_number(n):
    """A valid number (GB 11643) of a person who does not exist."""
    digits = f"51010419{70 + n % 30:02d}0{1 + n // 30 % 9}{10 + n // 270 % 18:02d}{n // 4860 % 1000:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS)) % 11]


def code_sent_to(stack, phone):
    status, body, _ = stack.get(stack.ports["control"], "/sandbox/messages?limit=1&phone_number=" + urllib.parse.quote(phone))
    messages = json.loads(body)["items"] if status == 200 else []
    code = re.search(r"(?<!\d)\d{6}(?!\d)", messages[0]["text"]) if messages else None
    if not code:
        raise SystemExit(f"the sandbox shows no code for {phone}: {status} {body[:300]!r}")
    return code.group()


def expect(what, wanted, answer):
    status, body, _ = answer
    if status != wanted:
        raise SystemExit(f"{what} was answered with {status}: {body[:500]!r}")
    return json.loads(body)


def log_in(stack, gateway, count, first=0):
    """Tokens of so many real-name sessions (L2)."""
    port, tokens = stack.ports[gateway], []
    for n in range(first, first + count):
        phone = f"+86138{n:08d}"
        expect("asking for a code", 202, stack.get(port, "/v1/login/codes", body={"phone_number": phone}))
        session = expect("logging in", 201, stack.get(port, "/v1/sessions", body={
            "phone_number": phone, "code": code_sent_to(stack, phone)}))
        session = expect("proving a name", 200, stack.get(port, "/v1/me/identity", token=session["token"], body={
            "name": "张伟", "id_number": identity_number(n)}))
        tokens.append(session["token"])
    return tokens


def fill_citizens(stack, database, count):
    """At least so many rows, of citizens who never log in: ciphers are noise of the usual length, blind indexes as good as random."""
    if int(stack.sql(database, "SELECT count(*) FROM shimin.citizen")) >= count:
        return
    stack.sql(database, f"""
        SET synchronous_commit = off;
        INSERT INTO shimin.citizen (id, phone_cipher, phone_blind, name_cipher, id_number_cipher, id_number_blind, level, verified_at)
        SELECT gen_random_uuid(), cipher, sha256('phone' || n::text::bytea), cipher, cipher, sha256('id' || n::text::bytea), 2, now()
        FROM generate_series(1, {count}) AS n, LATERAL (SELECT sha256(n::text::bytea) || sha256(n::text::bytea) AS cipher) AS noise
        ON CONFLICT DO NOTHING;
        ANALYZE shimin.citizen""")
