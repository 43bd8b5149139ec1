"""The catalogue as files: exported, compared with Postgres, and brought there by what differs."""
import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from client import call, shimin, sql, wait_until

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "schema"


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.run_words("export", str(self.folder))
        self.addCleanup(lambda: shimin("catalogue", "apply", "--yes"))

    def run_words(self, *words, status=0, text=None):
        """As the program would be run in a folder of configuration that is kept in git."""
        environment = os.environ | {"SHIMIN_CATALOGUE_DIRECTORY": f"{self.folder}/catalogue", "SHIMIN_CATALOGUE_CONTRACTS": f"{self.folder}/contracts",
                                    "SHIMIN_CATALOGUE_AREAS": f"{self.folder}/areas/chengdu.csv"} if words[0] != "export" else os.environ
        done = subprocess.run([os.environ["SHIMIN"], "catalogue", *words], env=environment, capture_output=True, text=True, timeout=60,
                              input=text, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def change(self, department, old, new):
        path = self.folder / f"catalogue/{department}.yaml"
        before = path.read_text(encoding="utf-8")
        self.assertIn(old, before)
        path.write_text(before.replace(old, new, 1), encoding="utf-8")

    def test_an_export_is_the_files_that_were_loaded_byte_for_byte(self):
        for folder in ("catalogue", "contracts", "areas"):
            for path in (self.folder / folder).iterdir():
                self.assertTrue(filecmp.cmp(path, SCHEMA / folder / path.name, shallow=False), path.name)
        exported = {path.name for path in (self.folder / "catalogue").glob("*.yaml")}
        self.assertEqual(exported, {path.name for path in (SCHEMA / "catalogue").glob("*.yaml")})

    def test_what_was_exported_is_without_fault_and_without_difference(self):
        self.run_words("check")
        self.assertIn("no difference", self.run_words("plan").stdout)
        self.assertEqual(json.loads(self.run_words("plan", "--json").stdout)["changes"], [])

    def test_a_plan_names_service_and_field_and_changes_nothing(self):
        self.change("housing-fund", "fresh: 60", "fresh: 90")
        self.change("metro", "concurrency: 128", "concurrency: 64")
        said = self.run_words("plan", status=2).stdout
        self.assertIn("~ service fund-balance-query\n    /operation/cache/fresh: 60 -> 90\n", said)
        self.assertIn("~ department metro\n    /backend/concurrency: 128 -> 64\n", said)
        self.assertIn("0 to add, 2 to change, 0 to remove", said)
        changes = json.loads(self.run_words("plan", "--json", status=2).stdout)["changes"]
        self.assertEqual([(c["kind"], c["name"], c["action"], [(f["path"], f["from"], f["to"]) for f in c["fields"]]) for c in changes],
                         [("department", "metro", "change", [("/backend/concurrency", 128, 64)]),
                          ("service", "fund-balance-query", "change", [("/operation/cache/fresh", 60, 90)])])
        self.assertEqual(self.run_words("plan", status=2).stdout, said)

    def test_apply_changes_what_differs_and_nothing_else(self):
        untouched = "SELECT string_agg(xmin::text, ',' ORDER BY slug) FROM shimin.service WHERE department = 'metro'"
        before = sql(untouched)
        self.change("housing-fund", "查询公积金账户余额", "查看公积金账户余额")
        service = (self.folder / "catalogue/housing-fund.yaml").read_text(encoding="utf-8").split("\n  - slug: fund-loan-estimator")
        rest = service[1].partition("\n  - slug: ")
        (self.folder / "catalogue/housing-fund.yaml").write_text(service[0] + rest[1] + rest[2], encoding="utf-8")
        self.run_words("apply", status=1, text="no\n")
        self.assertEqual(call("/v1/services/fund-loan-estimator").status, 200)
        said = self.run_words("apply", text="yes\n").stdout
        self.assertIn("0 to add, 1 to change, 1 to remove", said)
        self.assertIn("- service fund-loan-estimator", said)
        wait_until(lambda: call("/v1/services/fund-loan-estimator").status == 404)
        self.assertIn("查看", call("/v1/services/fund-balance-query").json["summary"]["zh"])
        self.assertEqual(sql(untouched), before)
        self.run_words("plan")
        audit = sql("SELECT actor, detail FROM shimin.audit WHERE action = 'applyCatalogue' ORDER BY id DESC LIMIT 1")[0]
        self.assertEqual((audit[0][:8], audit[1]), ("machine:", "0 added, 1 changed, 1 removed"))

    def test_departments_and_services_are_added_and_taken_away_again(self):
        text = (self.folder / "catalogue/metro.yaml").read_text(encoding="utf-8")
        head = text.partition("\n  - slug: ")[0]
        head = head.replace("slug: metro", "slug: tram").replace("credentials: metro", "credentials: tram").replace("number: 38", "number: 44")
        service = text.partition("\n  - slug: ")[2].partition("\n  - slug: ")[0]
        service = service.replace("metro-line-timetable", "tram-lines").replace("    aliases: [metro-arrivals]\n", "")
        (self.folder / "catalogue/tram.yaml").write_text(f"{head}\n  - slug: {service}", encoding="utf-8")
        self.assertIn("+ department tram\n+ service tram-lines\n2 to add", self.run_words("plan", status=2).stdout)
        self.run_words("apply", "--yes")
        wait_until(lambda: call("/v1/services/tram-lines").status == 200)
        (self.folder / "catalogue/tram.yaml").unlink()
        self.run_words("apply", "--yes")
        wait_until(lambda: call("/v1/departments/tram").status == 404)

    def test_apply_refuses_when_postgres_changed_since_it_looked(self):
        self.change("housing-fund", "fresh: 60", "fresh: 90")
        environment = os.environ | {"SHIMIN_CATALOGUE_DIRECTORY": f"{self.folder}/catalogue"}
        applying = subprocess.Popen([os.environ["SHIMIN"], "catalogue", "apply"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        said = ""
        while "Only" not in said:  # it has looked, and asks
            said += applying.stdout.read(1)
        sql("UPDATE shimin.category SET name_en = name_en")
        _, complaint = applying.communicate("yes\n", timeout=60)
        self.assertEqual(applying.returncode, 1)
        self.assertIn("changed since the plan", complaint)
        self.assertIn("fresh: 60 -> 90", self.run_words("plan", status=2).stdout)

    def test_faulty_files_change_nothing_and_are_named(self):
        self.change("housing-fund", "archetype: query", "archetype: fly")
        for word in ("check", "plan", "apply"):
            self.assertRegex(self.run_words(word, "--yes", status=1).stderr, r"housing-fund\.yaml:\d+: ")
        shutil.rmtree(self.folder / "contracts")
        self.run_words("plan", status=1)

    def test_a_switch_and_a_setting_outlive_an_apply(self):
        shimin("switch", "fund-balance-query", "read_only", "--reason", "只读")
        self.addCleanup(lambda: shimin("switch", "fund-balance-query", "open"))
        self.change("housing-fund", "fresh: 60", "fresh: 91")
        self.run_words("apply", "--yes")
        self.assertEqual(wait_until(lambda: call("/v1/services/fund-balance-query").json["switch"]["position"]), "read_only")


if __name__ == "__main__":
    unittest.main()
