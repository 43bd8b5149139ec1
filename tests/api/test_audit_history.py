"""The audit's past: rows that older rules chained, months that are over, and checkpoints that leave the machine."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import uuid

from client import another_gateway, call, metric, new_staff, shimin, sql, wait_until

MIGRATIONS = pathlib.Path(__file__).resolve().parents[2] / "schema/migrations"
KEY = os.environ["SHIMIN_AUDIT_SIGNING_KEY"]
OFF = "".join(f"ALTER TABLE shimin.{table} DISABLE TRIGGER USER;" for table in ("audit", "audit_link", "audit_checkpoint"))
ON = OFF.replace("DISABLE", "ENABLE")
# What hashing could confuse: separators, quotes, control characters, other scripts, nothing.
TEXTS = ["plain", "", "comma, colon: 3:abc,", 'quote " and \\ and /', "tab\t line\n return\r bell\x07 delete\x7f", "市民 · é · 🦔"]


class Database:
    """One of its own on the stack's server, migrated as far as it is told."""

    def __init__(self, name, like=None):
        self.name = f"{name}_{os.getpid()}"
        self.folder = tempfile.TemporaryDirectory()
        names = {key: re.sub(r"dbname=\w+", "dbname=" + self.name, os.environ[key]) for key in ("SHIMIN_POSTGRES_OWNER", "SHIMIN_POSTGRES_APPLICATION")}
        self.environment = os.environ | names | {"SHIMIN_MIGRATIONS_DIRECTORY": self.folder.name}
        self.as_administrator(f"CREATE DATABASE {self.name} OWNER shimin_owner" + (f" TEMPLATE {like.name}" if like else ""))
        if not like:
            self.as_administrator("CREATE EXTENSION postgis WITH SCHEMA public", self.name)

    @staticmethod
    def as_administrator(statement, database="postgres"):
        address = re.sub(r"user=\w+", "user=postgres", os.environ["SHIMIN_POSTGRES_OWNER"])
        done = subprocess.run(["psql", "-XAtq", "-c", statement, re.sub(r"dbname=\w+", "dbname=" + database, address)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def close(self):
        self.folder.cleanup()
        self.as_administrator(f"DROP DATABASE {self.name} WITH (FORCE)")

    def migrate(self, last=10**4):
        for file in MIGRATIONS.glob("*.sql"):
            if int(file.name[:4]) <= last:
                shutil.copy(file, self.folder.name)
        done = subprocess.run([os.environ["SHIMIN"], "migrate"], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def sql(self, statement):
        done = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", statement, self.environment["SHIMIN_POSTGRES_OWNER"]],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def as_owner(self, statement):
        self.sql(f"BEGIN; {OFF} {statement}; {ON} COMMIT")

    def audit(self, *words):
        return subprocess.run([os.environ["SHIMIN"], "audit", *map(str, words)], env=self.environment, capture_output=True, text=True, check=False)

    def append(self, records):
        text = json.dumps(records, ensure_ascii=False).replace("'", "''")
        return self.sql(f"SELECT shimin.audit_append('{text}'::jsonb)")


def records(at="extract(epoch FROM now())"):
    """One for each of the texts, at that time."""
    start = int(float(sql(f"SELECT {at} * 1000000")[0][0]))
    return [{"id": str(uuid.uuid4()), "at": start + i, "actor": text, "session": text, "action": text, "object": text, "address": text,
             "status": text, "trace_id": text} for i, text in enumerate(TEXTS)]


class DatabaseCase(unittest.TestCase):
    def database(self, name, like=None):
        made = Database(name, like)
        self.addCleanup(made.close)
        return made

    def proved(self, database, *says):
        done = database.audit("verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for text in says:
            self.assertIn(text, done.stdout)

    def broken(self, database, *says):
        done = database.audit("verify")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for text in says:
            self.assertIn(text, done.stdout)


class OlderRules(DatabaseCase):
    """Rows are made by the migrations of their time, and proved by the program of today."""

    def test_rows_of_all_three_rules_are_one_chain_and_a_fault_in_each_is_named(self):
        database = self.database("rules")
        database.migrate(8)
        for i, text in enumerate(TEXTS):
            quoted = text.replace("'", "''")
            database.sql(f"INSERT INTO shimin.audit (id, occurred_at, actor, action, object, address, result, trace_id, detail, prev_hash, hash) SELECT 0, "
                         f"now() + {i} * interval '1 us', t, t, t, t, t, t, t, '', '' FROM (VALUES ('{quoted}')) AS v (t)")
        database.migrate(16)
        database.append(records())
        database.migrate()
        database.append(records())
        count = len(TEXTS)
        kinds = database.sql("SELECT hash IS NOT NULL, record IS NOT NULL, count(*) FROM shimin.audit GROUP BY 1, 2 ORDER BY min(id)")
        self.assertEqual(kinds, [["t", "f", str(count)], ["t", "t", str(count)], ["f", "t", str(count)]])
        self.proved(database, f"proved: rows 1 to {3 * count}")
        for rule in (1, 2):
            row = (rule - 1) * count + 3
            for column in ("actor", "action", "object", "address", "result", "trace_id", "detail"):
                self.fault_in(database, row, f"{column} = {column} || 'x'", f"{column} = left({column}, -1)", "what it holds does not give its hash")
            self.fault_in(database, row, "occurred_at = occurred_at + interval '1 us'", "occurred_at = occurred_at - interval '1 us'", "does not give its hash")
            turned = "set_byte({0}, 31, get_byte({0}, 31) # 1)"
            self.fault_in(database, row, "prev_hash = " + turned.format("prev_hash"), "prev_hash = " + turned.format("prev_hash"), "prev_hash is not")
            self.fault_in(database, row, "hash = " + turned.format("hash"), "hash = " + turned.format("hash"), "does not give its hash")
            # what one rule chained cannot be passed off as the other's
            other = "record = gen_random_uuid()" if rule == 1 else "record = NULL"
            kept = database.sql(f"SELECT coalesce(quote_literal(record), 'NULL') FROM shimin.audit WHERE id = {row}")[0][0]
            self.fault_in(database, row, other, f"record = {kept}", "does not give its hash")
            self.proved(database)

    def fault_in(self, database, row, change, undo, says):
        database.as_owner(f"UPDATE shimin.audit SET {change} WHERE id = {row}")
        self.broken(database, f"row {row} of", says)
        database.as_owner(f"UPDATE shimin.audit SET {undo} WHERE id = {row}")

    def test_moved_and_missing_rows_of_the_older_rules_are_named(self):
        database = self.database("moved")
        database.migrate(8)
        for text in TEXTS:
            quoted = text.replace("'", "''")
            database.sql(f"INSERT INTO shimin.audit (id, actor, action, result, prev_hash, hash) VALUES (0, '{quoted}', 'a', 'done', '', '')")
        database.migrate(16)
        database.append(records())
        database.migrate()
        for row in (2, len(TEXTS) + 2):
            swap = f"UPDATE shimin.audit SET id = -id WHERE id IN ({row}, {row + 1}); UPDATE shimin.audit SET id = {2 * row + 1} + id WHERE id < 0"
            database.as_owner(swap)
            self.broken(database, f"row {row} of")
            database.as_owner(swap)
            database.as_owner(f"CREATE TABLE shimin.aside AS SELECT * FROM shimin.audit WHERE id = {row}; DELETE FROM shimin.audit WHERE id = {row}")
            self.broken(database, f"row {row} is missing")
            database.as_owner("INSERT INTO shimin.audit SELECT * FROM shimin.aside; DROP TABLE shimin.aside")
        self.proved(database)


class Retention(DatabaseCase):
    """Months that were dropped: the chain begins at what a checkpoint signed after them."""

    @classmethod
    def setUpClass(cls):
        cls.migrated = Database("migrated")
        cls.addClassCleanup(cls.migrated.close)
        cls.migrated.migrate()

    def setUp(self):
        self.data = self.database("retention", self.migrated)
        self.gone, self.left = (self.month(months) for months in (9, 8))
        self.data.append(records("extract(epoch FROM (date_trunc('month', now()) - interval '9 months 15 days' + interval '1 month'))"))

    def month(self, months):
        """Makes the partition of so many months ago; its name."""
        name, first, after = self.data.sql(
            f"SELECT 'audit' || to_char(m, '_YYYY_MM'), m AT TIME ZONE 'Asia/Shanghai', (m + interval '1 month') AT TIME ZONE 'Asia/Shanghai' "
            f"FROM (SELECT date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai') - interval '{months} months' AS m) AS one")[0]
        self.data.sql(f"CREATE TABLE shimin.{name} PARTITION OF shimin.audit FOR VALUES FROM ('{first}') TO ('{after}')")
        return name, first

    def sign(self, at):
        """A checkpoint of the end, as signed at that time; its id."""
        last, digest = self.data.sql("SELECT id, encode(hash, 'hex') FROM shimin.audit_head")[0]
        micros = self.data.sql(f"SELECT (extract(epoch FROM {at}) * 1000000)::bigint")[0][0]
        public = subprocess.run(["openssl", "pkey", "-in", KEY, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
        digest_of = subprocess.run(["sha256sum"], input=public, capture_output=True, check=True).stdout
        key_id = digest_of[:16].decode()
        with tempfile.NamedTemporaryFile() as text:
            text.write(f"shimin audit checkpoint 1\n{last}\n{digest}\n{micros}\n{key_id}\n".encode())
            text.flush()
            signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", KEY, "-in", text.name], capture_output=True, check=True).stdout
        self.data.sql(f"INSERT INTO shimin.audit_checkpoint (audit_id, hash, key_id, signature, signed_at) VALUES ({last}, '\\x{digest}', '{key_id}', "
                      f"'\\x{signature.hex()}', to_timestamp({int(micros) // 10**6}) + {int(micros) % 10**6} * interval '1 us')")
        return int(last)

    def go_on(self):
        """What is recorded after the checkpoint, long ago and now."""
        self.data.append(records(f"extract(epoch FROM '{self.left[1]}'::timestamptz + interval '5 days')"))
        self.data.append(records())

    def drop_month(self):
        self.data.sql(f"DROP TABLE shimin.{self.gone[0]}")

    def test_the_chain_begins_at_the_checkpoint_that_was_signed_after_a_dropped_month(self):
        last = self.sign(f"'{self.left[1]}'::timestamptz + interval '1 day'")
        self.go_on()
        self.proved(self.data, "proved: rows 1 to")
        self.drop_month()
        self.proved(self.data, f"rows before {last + 1} are not there any more", f"proved: rows {last + 1} to")
        self.data.as_owner(f"UPDATE shimin.audit SET actor = actor || 'x' WHERE id = {last + 1}")
        self.broken(self.data, f"rows {last + 1} to", "does not give the hash")

    def test_no_checkpoint_younger_than_the_retention_stands_for_a_month_that_is_gone(self):
        self.sign("now() - interval '182 days'")
        self.go_on()
        self.drop_month()
        self.broken(self.data, "are missing, and no checkpoint older than the retention")

    def test_a_checkpoint_of_the_dropped_month_itself_is_none_to_begin_at(self):
        self.sign(f"'{self.gone[1]}'::timestamptz + interval '20 days'")
        self.go_on()
        self.drop_month()
        self.broken(self.data, "are missing, and no checkpoint older than the retention")

    def test_a_forged_beginning_is_refused(self):
        last = self.sign(f"'{self.left[1]}'::timestamptz + interval '1 day'")
        self.go_on()
        self.drop_month()
        self.data.as_owner(f"UPDATE shimin.audit_checkpoint SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE audit_id = {last}")
        self.broken(self.data, "its signature does not fit")

    def test_rows_that_had_to_stay_cannot_leave_behind_the_checkpoint(self):
        self.sign(f"'{self.left[1]}'::timestamptz + interval '1 day'")
        self.go_on()
        self.drop_month()
        first = self.data.sql("SELECT min(id) FROM shimin.audit")[0][0]
        self.data.as_owner(f"DELETE FROM shimin.audit WHERE id = {first}")
        self.broken(self.data, "missing")


class Leaving(unittest.TestCase):
    """What a gateway signs by its timer is in its log and metrics, where the database's owner cannot reach it."""

    def test_the_timer_signs_what_is_new_and_tells_log_and_metrics(self):
        with another_gateway(SHIMIN_AUDIT_CHECKPOINT_EVERY="1s") as gateway:
            new_staff("system")  # a command that is recorded: the end has moved
            moved = int(sql("SELECT id FROM shimin.audit_head")[0][0])
            wait_until(lambda: metric("audit_checkpoint_record", base=gateway.operations) >= moved, 60, "a checkpoint of it")
            wait_until(lambda: [line for line in self.checkpoints(gateway) if line["audit_id"] >= moved], 30, "its line in the log")
            told = self.checkpoints(gateway)[-1]
            row = sql(f"SELECT encode(hash, 'hex'), key_id, encode(signature, 'hex') FROM shimin.audit_checkpoint WHERE audit_id = {told['audit_id']}")
            self.assertIn([told["hash"], told["key_id"], base64.b64decode(told["signature"]).hex()], row)
            # the three numbers are of one checkpoint, of which the log has the line; a newer one may come between two readings
            wait_until(lambda: self.numbers(gateway) in [(line["audit_id"], int(line["hash"][:12], 16)) for line in self.checkpoints(gateway)], 60, "agreement")
            self.assertGreater(metric("audit_checkpoint_time_seconds", base=gateway.operations), 1.7e9)
            self.assertEqual(metric("audit_checkpoint_failures_total", base=gateway.operations), 0)
            with tempfile.NamedTemporaryFile("w") as kept:
                kept.write(gateway.logged())
                kept.flush()
                done = shimin("audit", "verify", "--checkpoints", kept.name)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, r"[1-9]\d* checkpoints kept elsewhere are compared")

    def test_a_gateway_that_stops_signs_the_end(self):
        with another_gateway(SHIMIN_AUDIT_CHECKPOINT_EVERY="1d") as gateway:
            new_staff("system")
            moved = int(sql("SELECT id FROM shimin.audit_head")[0][0])
            os.kill(gateway.pid, 15)
            wait_until(lambda: int(sql("SELECT coalesce(max(audit_id), 0) FROM shimin.audit_checkpoint")[0][0]) >= moved, 60, "a checkpoint of the end")

    @staticmethod
    def checkpoints(gateway):
        lines = [json.loads(line) for line in gateway.logged().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("msg") == "audit checkpoint"]

    @staticmethod
    def numbers(gateway):
        text = call("/metrics", base=gateway.operations).bytes.decode()
        return tuple(int(float(re.search(rf"^audit_checkpoint_{name} (\S+)$", text, re.M)[1])) for name in ("record", "hash_prefix"))


if __name__ == "__main__":
    unittest.main()
