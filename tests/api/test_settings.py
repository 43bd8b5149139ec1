"""What settings and words of the command line change; gateways of their own beside the stack's."""
import json
import os
import subprocess
import tempfile
import unittest

from client import URL, another_gateway, call, login_verified, new_id_number, new_phone, redis, shimin, sql, wait_until


def stored(citizen):
    """The suites of a citizen's encrypted fields in Postgres: the second byte of each (gateway/crypto/field.c)."""
    return sql("SELECT get_byte(phone_cipher, 1), get_byte(name_cipher, 1), get_byte(id_number_cipher, 1) FROM shimin.citizen"
               f" WHERE id = '{citizen}'")[0]


class Suites(unittest.TestCase):
    INTL, GM = "1", "2"

    def whole_way(self, base):
        """From the phone to a department's answer and its footprint; the account's id and the token."""
        number = new_id_number()
        token = login_verified("欧阳慧", number, base=base)
        me = call("/v1/me", token=token, base=base).json
        self.assertEqual((me["level"], me["name"], me["id_number"]), ("L2", "欧*", number[:6] + "********" + number[-4:]))
        path = "/v1/services/fund-balance-query/records"
        first, second = (call(path, token=token, base=base) for _ in range(2))  # asked, then from the cache, which is encrypted as well
        self.assertEqual((first.status, second.status), (200, 200))
        self.assertEqual(first.json["items"], second.json["items"])
        self.assertEqual(first.json["items"][0]["id_number"], me["id_number"])
        wait_until(lambda: call("/v1/me/footprint", token=token, base=base).json["items"], what="the footprint")
        return me["id"], token

    def test_the_gm_suite_goes_the_whole_way_and_stores_sm4(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = os.path.join(folder, "keys.yaml")
            self.assertEqual(shimin("keys", "create", "--suite", "gm", keys).returncode, 0)
            with another_gateway(SHIMIN_KEYS_FILE=keys) as base:
                citizen, token = self.whole_way(base)
                self.assertEqual(stored(citizen), [self.GM] * 3)
                # a gateway without that key cannot open the session, and says no more than that it is none
                self.assertEqual(call("/v1/me", token=token).status, 401)
                self.assertEqual(call("/v1/me", token=token, base=base).status, 200)

    def test_the_intl_suite_goes_the_whole_way_and_stores_aes(self):
        citizen, _ = self.whole_way(URL)
        self.assertEqual(stored(citizen), [self.INTL] * 3)


class Limits(unittest.TestCase):
    def test_an_address_gets_so_many_codes_whatever_the_phone(self):
        limits = json.loads(os.environ["SHIMIN_LIMITS"])
        limits["login"] = {"by": "address", "requests": 4, "window": 3600}
        for spent in redis("KEYS", "l:login:*"):
            redis("DEL", spent)
        with another_gateway(SHIMIN_LIMITS=json.dumps(limits)) as base:
            sent = [call("/v1/login/codes", body={"phone_number": new_phone()}, base=base) for _ in range(6)]
            self.assertEqual([a.status for a in sent], [202] * 4 + [429] * 2)
            self.assertEqual(sent[4].json["code"], "quota-exceeded")
            self.assertGreater(int(sent[4].headers["Retry-After"]), 0)
            # nor may it try codes any more
            self.assertEqual(call("/v1/sessions", body={"phone_number": new_phone(), "code": "000000"}, base=base).status, 429)
            self.assertEqual(call("/v1/categories", base=base).status, 200)


class Help(unittest.TestCase):
    def test_who_asks_for_help_after_some_words_has_nothing_carried_out(self):
        with tempfile.TemporaryDirectory() as folder:
            for words in (("keys", "create", "--help"), ("switch", "metro-arrivals", "off", "-h"), ("catalogue", "apply", "--help")):
                done = subprocess.run([os.environ["SHIMIN"], *words], cwd=folder, capture_output=True, text=True, timeout=20)
                self.assertEqual((done.returncode, done.stdout[:6]), (0, "usage:"), words)
            self.assertEqual(os.listdir(folder), [])
        self.assertEqual(call("/v1/services/metro-arrivals").json["switch"]["position"], "open")


if __name__ == "__main__":
    unittest.main()
