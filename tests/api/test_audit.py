"""The audit proves itself: its chain, its checkpoints, its exports; and who may read it."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import uuid

from client import call, new_staff, shimin, sql, staff_session, wait_until

TABLES = ("audit", "audit_link", "audit_checkpoint")


def as_owner(statement):
    """What the database's owner could do: no trigger stands in the way."""
    off = "".join(f"ALTER TABLE shimin.{table} DISABLE TRIGGER USER;" for table in TABLES)
    sql(f"BEGIN; {off} {statement}; {off.replace('DISABLE', 'ENABLE')} COMMIT")


def audit(*words, **options):
    return subprocess.run([os.environ["SHIMIN"], "audit", *map(str, words)], capture_output=True, text=True, timeout=120, check=False, **options)


class Chain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        new_staff("system")

    def test_an_untouched_chain_is_proved(self):
        done = audit("verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"proved: rows 1 to \d+")

    def test_a_checkpoint_by_hand_signs_the_end_and_is_verified(self):
        made = audit("checkpoint")
        self.assertEqual(made.returncode, 0, made.stderr)
        checkpoint = json.loads(made.stdout)
        self.assertEqual(sorted(checkpoint), ["audit_id", "hash", "key_id", "signature", "signed_at"])
        done = audit("verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotRegex(done.stdout, r" 0 checkpoints")
        done = audit("verify", "--from", checkpoint["audit_id"] + 1)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"proved: rows {checkpoint['audit_id'] + 1} to", done.stdout)

    def test_words_that_mean_nothing_are_used_wrongly(self):
        for words in [("verify", "--from", "yesterday"), ("verify", "more"), ("nothing",), ("check",)]:
            self.assertEqual(audit(*words).returncode, 2, words)

    def test_an_export_is_proved_offline_and_a_changed_one_is_not(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "audit.jsonl"
            done = audit("export", file)
            self.assertEqual(done.returncode, 0, done.stderr)
            done = audit("check", file)
            self.assertEqual(done.returncode, 0, done.stdout)
            lines = file.read_text().splitlines(keepends=True)
            end = json.loads(lines[-1])
            self.assertEqual(end["count"], len(lines) - 1)
            self.assertIn("action", json.loads(lines[0]))
            for changed, why in [(lines[1:], "records and says"), (lines[:-1], "last line"), (lines[:-1] + [lines[-1].replace("count\":", "count\":1")], "signature"),
                                 ([lines[0].replace("\"id\"", "\"Id\"")] + lines[1:], "not those"), (lines[:-1] + [lines[-1][:-1]], "torn")]:
                file.write_text("".join(changed))
                done = audit("check", file)
                self.assertEqual(done.returncode, 1, why)
                self.assertIn(why, done.stdout)


class Faults(unittest.TestCase):
    """Each is planted by the database's owner, found and named, and taken back."""

    @classmethod
    def setUpClass(cls):
        for _ in range(3):
            assert audit("checkpoint").returncode == 0

    def setUp(self):
        self.id = int(sql("SELECT max(audit_id) FROM shimin.audit_checkpoint")[0][0])
        self.assertEqual(audit("verify").returncode, 0)

    def planted(self, fault, undo, *says, words=()):
        as_owner(fault)
        try:
            done = audit("verify", *words)
        finally:
            as_owner(undo)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for text in says:
            self.assertIn(text, done.stdout)
        self.assertEqual(audit("verify").returncode, 0, "the fault is taken back")

    def test_a_changed_field(self):
        self.planted(f"UPDATE shimin.audit SET actor = actor || 'x' WHERE id = {self.id}",
                     f"UPDATE shimin.audit SET actor = left(actor, -1) WHERE id = {self.id}", f"to {self.id}, the last of 20", "does not give the hash")

    def test_a_moved_time(self):
        self.planted(f"UPDATE shimin.audit SET occurred_at = occurred_at + interval '1 microsecond' WHERE id = {self.id}",
                     f"UPDATE shimin.audit SET occurred_at = occurred_at - interval '1 microsecond' WHERE id = {self.id}", "does not give the hash")

    def test_a_row_deleted_in_the_middle(self):
        self.planted(f"CREATE TABLE shimin.aside AS SELECT * FROM shimin.audit WHERE id = {self.id - 1}; DELETE FROM shimin.audit WHERE id = {self.id - 1}",
                     "INSERT INTO shimin.audit SELECT * FROM shimin.aside; DROP TABLE shimin.aside", f"row {self.id - 1} is missing, after 20")

    def test_two_rows_that_changed_places(self):
        swap = f"""UPDATE shimin.audit SET id = -id WHERE id IN ({self.id}, {self.id - 1});
                   UPDATE shimin.audit SET id = {self.id} + {self.id - 1} + id WHERE id < 0"""
        self.planted(swap, swap, "does not give the hash")

    def test_an_inserted_row(self):
        self.planted(f"INSERT INTO shimin.audit (id, occurred_at, actor, action, result, record) "
                     f"SELECT {self.id}, occurred_at + interval '1 s', 'staff:x', 'x', '200', record FROM shimin.audit WHERE id = {self.id}",
                     f"DELETE FROM shimin.audit WHERE id = {self.id} AND actor = 'staff:x'", str(self.id))  # whichever of the two is read first

    def test_a_changed_link(self):
        for column in ("hash", "prev_hash"):
            turn = f"UPDATE shimin.audit_link SET {column} = set_byte({column}, 0, get_byte({column}, 0) # 1) WHERE last_id = {self.id}"
            self.planted(turn, turn, f" to {self.id}")

    def test_a_link_deleted_with_its_rows(self):
        first = int(sql(f"SELECT first_id FROM shimin.audit_link WHERE last_id = {self.id}")[0][0])
        self.planted(f"CREATE TABLE shimin.aside AS SELECT * FROM shimin.audit WHERE id BETWEEN {first} AND {self.id}; "
                     f"CREATE TABLE shimin.aside_link AS SELECT * FROM shimin.audit_link WHERE last_id = {self.id}; "
                     f"DELETE FROM shimin.audit WHERE id BETWEEN {first} AND {self.id}; DELETE FROM shimin.audit_link WHERE last_id = {self.id}",
                     "INSERT INTO shimin.audit SELECT * FROM shimin.aside; INSERT INTO shimin.audit_link SELECT * FROM shimin.aside_link; "
                     "DROP TABLE shimin.aside, shimin.aside_link", "missing")

    def cut_tail(self, more=""):
        """The rows from the last checkpoint on are gone, and the head with them; the statement, and what takes it back."""
        first = int(sql(f"SELECT first_id FROM shimin.audit_link WHERE last_id = {self.id}")[0][0])
        tables = {"audit": f"id >= {first}", "audit_link": f"first_id >= {first}", **({"audit_checkpoint": f"audit_id >= {first}"} if more else {})}
        cut = "".join(f"CREATE TABLE shimin.aside_{table} AS SELECT * FROM shimin.{table} WHERE {where}; DELETE FROM shimin.{table} WHERE {where};"
                      for table, where in tables.items())
        # what was recorded meanwhile, this verification too, makes room again
        back = "".join(f"DELETE FROM shimin.{table} WHERE {where};" for table, where in tables.items())
        back += "".join(f"INSERT INTO shimin.{table} {'OVERRIDING SYSTEM VALUE' if table == 'audit_checkpoint' else ''} "
                       f"SELECT * FROM shimin.aside_{table}; DROP TABLE shimin.aside_{table};" for table in tables)
        head = "CREATE TABLE shimin.aside_head AS SELECT * FROM shimin.audit_head; UPDATE shimin.audit_head SET (id, hash) = (SELECT last_id, hash FROM shimin.audit_link ORDER BY last_id DESC LIMIT 1)"
        return cut + head, back + "UPDATE shimin.audit_head SET (id, hash) = (SELECT id, hash FROM shimin.aside_head); DROP TABLE shimin.aside_head"

    def test_a_tail_cut_off_behind_the_head(self):
        cut, back = self.cut_tail()
        self.planted(cut, back, f"checkpoint at row {self.id}", "the chain ends before it")

    def test_a_tail_cut_off_with_its_checkpoints_is_found_by_one_kept_elsewhere(self):
        made = audit("checkpoint")
        self.id = json.loads(made.stdout)["audit_id"]
        cut, back = self.cut_tail("with checkpoints")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write('{"msg":"another line of a log"}\n' + made.stdout)
            file.flush()
            self.planted(cut, back, f"checkpoint kept elsewhere at row {self.id}", "the chain ends before it", words=("--checkpoints", file.name))

    def test_a_forged_checkpoint(self):
        for column, says in (("signature", "its signature does not fit"), ("hash", "its signature does not fit")):
            turn = f"UPDATE shimin.audit_checkpoint SET {column} = set_byte({column}, 0, get_byte({column}, 0) # 1) WHERE audit_id = {self.id}"
            self.planted(turn, turn, f"checkpoint at row {self.id}", says)

    def test_a_checkpoint_by_a_key_that_is_not_known(self):
        with tempfile.TemporaryDirectory() as directory:
            folder = pathlib.Path(directory, "public")
            folder.mkdir()
            for suite in ("intl", "gm"):
                done = subprocess.run([os.environ["SHIMIN"], "keys", "signing", "--suite", suite, f"{directory}/{suite}.key", folder],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(pathlib.Path(directory, f"{suite}.key").stat().st_mode & 0o777, 0o600)
            done = audit("verify", "--public-key", folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("its key is not known here", done.stdout)
            # a new key is used, and the old one stays beside it
            self.rotate(folder, f"{directory}/gm.key")

    def rotate(self, folder, key):
        made = audit("checkpoint", env=os.environ | {"SHIMIN_AUDIT_SIGNING_KEY": key})
        self.assertEqual(made.returncode, 0, made.stderr)
        self.id = json.loads(made.stdout)["audit_id"]
        try:
            self.assertEqual(audit("verify").returncode, 1)
            for file in pathlib.Path(os.environ["SHIMIN_AUDIT_PUBLIC_KEYS"]).iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
            done = audit("verify", "--public-key", folder)
            self.assertEqual(done.returncode, 0, done.stdout)
        finally:
            as_owner(f"DELETE FROM shimin.audit_checkpoint WHERE audit_id = {self.id}")


class Interface(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = staff_session("audit")
        cls.audit_name = call("/admin/v1/session", token=cls.token).json["name"]
        cls.system = staff_session("system")
        cls.name = "staff:" + call("/admin/v1/session", token=cls.system).json["name"]

    def search(self, query):
        answer = call("/admin/v1/audit?" + query, token=self.token)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_only_the_role_audit_reads_it_and_the_attempt_is_found(self):
        for path in ("/admin/v1/audit", "/admin/v1/audit/export", "/admin/v1/audit/checkpoints"):
            self.assertEqual(call(path, token=self.system).status, 403)
            self.assertEqual(call(path).status, 401)
        found = wait_until(lambda: self.search(f"actor={self.name}&action=searchAudit&result=403")["items"], what="the refusal")
        self.assertEqual((found[0]["actor"], found[0]["result"]), (self.name, "403"))

    def test_a_search_is_itself_found_with_what_it_asked(self):
        self.search("object=service:none-such&address=203.0.113.7")
        found = wait_until(lambda: [item for item in self.search("object=audit&action=searchAudit")["items"] if "none-such" in item["detail"]],
                           what="the search")
        self.assertIn("object=service:none-such address", found[0]["detail"])
        self.assertNotIn("203.0", found[0]["detail"])

    def test_pages_go_back_in_time_without_a_record_twice(self):
        for _ in range(5):
            call("/admin/v1/session", token=self.system)
        wait_until(lambda: len(self.search(f"actor={self.name}")["items"]) >= 5, what="records")
        seen, query = [], f"actor={self.name}&limit=2"
        while True:
            page = self.search(query)
            seen += [(item["at"], item["id"]) for item in page["items"]]
            if not page["next_cursor"]:
                break
            query = f"actor={self.name}&limit=2&cursor={page['next_cursor']}"
        self.assertGreaterEqual(len(seen), 5)
        self.assertEqual(seen, sorted(set(seen), reverse=True))

    def test_a_flood_of_nobody_does_not_fill_the_audit(self):
        def records():
            return int(sql("SELECT count(*) FROM shimin.audit WHERE actor = 'guest' AND action = 'exportAudit' AND address = '127.9.8.7'")[0][0])

        for _ in range(40):
            self.assertEqual(call("/admin/v1/audit/export", source="127.9.8.7").status, 401)
        wait_until(records, what="the first of them")
        self.search("object=audit")  # what is recorded later is there: so is the flood
        wait_until(lambda: self.search(f"actor=staff:{self.audit_name}&action=searchAudit")["items"], what="a later record")
        self.assertLessEqual(records(), 16)  # one a worker and minute

    def test_a_refused_login_names_the_account(self):
        answer = call("/admin/v1/sessions", body={"name": self.audit_name, "password": "not-this-one-1984", "code": "000000"}, source="127.9.8.8")
        self.assertIn(answer.status, (401, 422, 429))
        found = wait_until(lambda: self.search(f"object=staff:{self.audit_name}&action=openStaffSession&result={answer.status}")["items"], what="the refusal")
        self.assertEqual(found[0]["address"], "127.9.8.8")

    def test_checkpoints_are_listed_newest_first_with_the_end_of_the_chain(self):
        made = json.loads(audit("checkpoint").stdout)
        answer = call("/admin/v1/audit/checkpoints", token=self.token).json
        items = answer["items"]
        found = [one for one in items if one["record"] == made["audit_id"]]
        self.assertEqual([(one["hash"], one["key_id"], one["signature"]) for one in found[:1]], [(made["hash"], made["key_id"], made["signature"])])
        self.assertEqual([one["record"] for one in items], sorted((one["record"] for one in items), reverse=True))
        self.assertGreaterEqual(answer["end"]["record"], made["audit_id"])

    def test_spans_and_cursors_that_make_no_sense_are_refused(self):
        for query in ("from=yesterday", "cursor=abc", "from=2020-01-01T00:00:00Z", "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z"):
            self.assertEqual(call("/admin/v1/audit?" + query, token=self.token).status, 400, query)

    def test_an_export_over_the_interface_is_proved_offline(self):
        answer = call("/admin/v1/audit/export", token=self.token)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/jsonl"))
        with tempfile.NamedTemporaryFile() as file:
            file.write(answer.bytes)
            file.flush()
            done = audit("check", file.name)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(json.loads(answer.bytes.splitlines()[-1])["made_by"].startswith("staff:"))


class Search(unittest.TestCase):
    """Beyond the newest records, which are read as they come, the filters of the index are asked."""

    COUNT = 12000

    @classmethod
    def setUpClass(cls):
        cls.token = staff_session("audit")
        cls.mark = uuid.uuid4().hex[:12]
        # one in 3,000 by each of four; a millisecond apart, and two of a time
        sql(f"""SELECT shimin.audit_append(jsonb_agg(jsonb_build_object(
                    'id', gen_random_uuid(), 'at', (extract(epoch FROM now()) * 1000000)::bigint - 1000 * (n / 2), 'action', 'look', 'status', '200',
                    'actor', CASE WHEN n % 3000 < 4 THEN 'staff:{cls.mark}-' || n % 3000 ELSE '{cls.mark}' END,
                    'object', CASE WHEN n = {cls.COUNT} - 7 THEN 'service:{cls.mark}' ELSE 'service:many' END,
                    'address', CASE WHEN n IN (3, {cls.COUNT} - 9) THEN 'fd00::{cls.mark}' ELSE '127.0.0.1' END)))
                FROM generate_series(0, {cls.COUNT} - 1) n""")

    def all_of(self, query, limit):
        found, cursor = [], ""
        while True:
            answer = call(f"/admin/v1/audit?{query}&limit={limit}{cursor}", token=self.token)
            self.assertEqual(answer.status, 200, answer)
            found += [item["id"] for item in answer.json["items"]]
            if not answer.json["next_cursor"]:
                return found
            cursor = "&cursor=" + answer.json["next_cursor"]

    @staticmethod
    def rows(where):
        return [int(row[0]) for row in sql(f"SELECT id FROM shimin.audit WHERE {where} ORDER BY occurred_at DESC, id DESC")]

    def test_what_is_rare_and_old_is_found_whole_and_in_order_by_each_filter(self):
        for query, where, count in [(f"actor=staff:{self.mark}-1", f"actor = 'staff:{self.mark}-1'", 4), (f"object=service:{self.mark}", f"object = 'service:{self.mark}'", 1),
                                    (f"address=fd00::{self.mark}", f"address = 'fd00::{self.mark}'", 2),
                                    (f"actor=staff:{self.mark}-2&object=service:many&action=look&result=200", f"actor = 'staff:{self.mark}-2' AND object = 'service:many'", 4)]:
            expected = self.rows(where)
            self.assertEqual(len(expected), count, query)
            for limit in (1, 3, 100):
                self.assertEqual(self.all_of(query, limit), expected, (query, limit))

    def test_what_is_nowhere_is_not_found(self):
        for query in ("actor=staff:none", "object=none", "action=none", "result=999", "address=none"):
            self.assertEqual(self.all_of(query, 20), [], query)

    def test_the_plan_for_what_is_rare_asks_the_filters(self):
        plan = "\n".join(row[0] for row in sql(
            f"SET enable_indexscan = off; SET enable_seqscan = off; EXPLAIN SELECT * FROM shimin.audit WHERE occurred_at >= now() - interval '1 day' "
            f"AND actor = 'staff:{self.mark}-1' ORDER BY occurred_at DESC, id DESC LIMIT 20"))
        self.assertRegex(plan, r"audit_\d+_\d+_occurred_at_actor_object")


class Commands(unittest.TestCase):
    """What is done on the machine is recorded as what is done over the interface."""

    def records(self, action, object_name):
        return sql(f"SELECT actor, result, detail FROM shimin.audit WHERE action = '{action}' AND object = '{object_name}' AND actor LIKE 'machine:%' ORDER BY id")

    def test_a_switch_its_undoing_and_its_refusal_are_recorded(self):
        before = len(self.records("setSwitch", "service:air-quality"))
        self.assertEqual(shimin("switch", "air-quality", "read_only", "--reason", "test").returncode, 0)
        self.addCleanup(shimin, "switch", "air-quality", "open")
        made = self.records("setSwitch", "service:air-quality")
        self.assertEqual((len(made), made[-1][1:]), (before + 1, ["done", "read_only"]))
        row = [line.split()[0] for line in shimin("switch", "list").stdout.splitlines() if "service:air-quality" in line][-1]
        self.assertEqual(shimin("switch", "undo", row).returncode, 0)
        self.assertEqual([record[1:] for record in self.records("undoSwitch", "switch:" + row)], [["done", "undo"]])
        self.assertNotEqual(shimin("switch", "undo", row).returncode, 0)
        self.assertEqual([record[1:] for record in self.records("undoSwitch", "switch:" + row)], [["done", "undo"], ["failed", "undo"]])
        name = "service:none-" + uuid.uuid4().hex[:8]
        self.assertNotEqual(shimin("switch", name, "off", "--reason", "test").returncode, 0)
        self.assertEqual([record[1:] for record in self.records("setSwitch", name)], [["failed", "off"]])

    def test_to_look_at_switches_is_not_recorded(self):
        before = sql("SELECT count(*) FROM shimin.audit WHERE actor LIKE 'machine:%'")
        for words in (("list",), ("history",), ("proposals",), ("air-quality", "off", "--reason", "test", "--preview")):
            self.assertEqual(shimin("switch", *words).returncode, 0, words)
        self.assertEqual(sql("SELECT count(*) FROM shimin.audit WHERE actor LIKE 'machine:%'"), before)


class Rights(unittest.TestCase):
    """Each role of the database but the superuser: what the application runs as, whoever may log in to it, and the owner."""

    @classmethod
    def setUpClass(cls):
        assert audit("checkpoint").returncode == 0

    def roles(self):
        found = [row[0] for row in sql("SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_' ORDER BY 1")]
        self.assertIn("shimin_app", found)
        self.assertIn("shimin_gateway", found)
        return found

    @staticmethod
    def refused(role, statements):
        # the owner takes each role on as a member of it, until the end of the transaction
        membership = "" if role == "shimin_owner" else f"GRANT {role} TO shimin_owner; SET LOCAL ROLE {role};"
        listed = ", ".join(f"$s${statement}$s$" for statement in statements)
        sql(f"""BEGIN; {membership}
                DO $do$ DECLARE statement text; BEGIN
                    FOREACH statement IN ARRAY ARRAY[{listed}] LOOP
                        BEGIN
                            EXECUTE statement;
                            RAISE EXCEPTION '% was not refused: %', current_user, statement;
                        EXCEPTION WHEN insufficient_privilege OR restrict_violation THEN NULL;
                        END;
                    END LOOP;
                END $do$; ROLLBACK""")

    def test_no_role_changes_or_deletes_and_neither_does_the_owner_while_the_triggers_stand(self):
        parts = [row[0] for row in sql("SELECT relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid "
                                       "WHERE i.inhparent = 'shimin.audit'::regclass AND relkind = 'r' ORDER BY 1")]
        statements = [f"TRUNCATE shimin.{table}" for table in (*TABLES, "footprint", *parts)]
        for table in (*TABLES, "footprint", *parts[:1]):
            # a trigger for each row has nothing to refuse in a table without rows
            self.assertEqual(sql(f"SELECT count(*) > 0 FROM shimin.{table}" if table != "footprint" else "SELECT true")[0][0], "t", table)
            if table != "footprint":
                statements += [f"DELETE FROM shimin.{table}", f"UPDATE shimin.{table} SET hash = hash"]
        for role in self.roles():
            self.refused(role, statements)

    def test_no_role_but_the_owner_inserts_beside_the_chain_or_touches_tables_functions_and_triggers(self):
        statements = ["INSERT INTO shimin.audit DEFAULT VALUES", "INSERT INTO shimin.audit_link DEFAULT VALUES", "UPDATE shimin.audit_head SET id = 1",
                      "DELETE FROM shimin.audit_head", "INSERT INTO shimin.audit_head DEFAULT VALUES", "TRUNCATE shimin.audit_head",
                      "DELETE FROM shimin.footprint", "UPDATE shimin.footprint SET reader = reader",
                      "CREATE OR REPLACE FUNCTION shimin.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
                      "DROP FUNCTION shimin.refuse_change() CASCADE", "ALTER FUNCTION shimin.audit_append(jsonb) OWNER TO CURRENT_USER",
                      "SET session_replication_role = replica", "CREATE TABLE shimin.mine ()"]
        for table in (*TABLES, "audit_head", "footprint"):
            statements += [text.format(table) for text in (
                "ALTER TABLE shimin.{0} DISABLE TRIGGER USER", "ALTER TABLE shimin.{0} DISABLE TRIGGER ALL", "DROP TABLE shimin.{0}",
                "ALTER TABLE shimin.{0} ADD COLUMN mine integer", "ALTER TABLE shimin.{0} OWNER TO CURRENT_USER",
                "CREATE TRIGGER mine BEFORE INSERT ON shimin.{0} FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change()",
                "CREATE RULE mine AS ON DELETE TO shimin.{0} DO INSTEAD NOTHING")]
        for role in self.roles():
            if role != "shimin_owner":
                self.refused(role, statements)


if __name__ == "__main__":
    unittest.main()
