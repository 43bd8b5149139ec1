"""The catalogue as citizens see it."""
import unittest
import urllib.parse

from client import call


def pages(path):
    items, cursor = [], None
    while True:
        answer = call(path + (("&" if "?" in path else "?") + "cursor=" + cursor if cursor else ""))
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if not cursor:
            return items


class Services(unittest.TestCase):
    def test_all_187_services_are_listed_once_over_the_pages(self):
        slugs = [item["slug"] for item in pages("/v1/services?limit=50")]
        self.assertEqual(len(slugs), 187)
        self.assertEqual(len(set(slugs)), 187)

    def test_a_page_has_at_most_100_services_whatever_is_asked(self):
        self.assertEqual(len(call("/v1/services?limit=1000").json["items"]), 100)

    def test_the_next_page_is_linked_as_well(self):
        answer = call("/v1/services?category=travel&limit=2")
        target = answer.headers["Link"].split(">")[0][1:]
        self.assertIn('rel="next"', answer.headers["Link"])
        following = call(target).json["items"]
        self.assertTrue(following)
        self.assertTrue(all(item["category"] == "travel" for item in following))

    def test_filters_are_joined(self):
        items = pages("/v1/services?department=metro&archetype=feed&level=L0")
        self.assertEqual({item["slug"] for item in items}, {"metro-line-timetable", "metro-crowding"})

    def test_text_is_found_in_chinese_english_and_pinyin_initials(self):
        for text in ("公积金账户", "housing fund account", "gjjzh", "ＧＪＪＺＨ", "公积金　账户", "Housing  FUND"):
            slugs = [item["slug"] for item in pages("/v1/services?text=" + urllib.parse.quote(text))]
            self.assertIn("fund-balance-query", slugs, text)

    def test_a_forged_cursor_is_refused(self):
        cursor = call("/v1/services?limit=1").json["next_cursor"]
        forged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
        answer = call("/v1/services?cursor=" + forged)
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid-cursor"))

    def test_an_alias_leads_to_the_service(self):
        self.assertEqual(call("/v1/services/housing-fund-balance").json["slug"], "fund-balance-query")

    def test_an_unknown_service_is_not_found(self):
        self.assertEqual(call("/v1/services/no-such-service").status, 404)

    def test_services_that_are_not_built_yet_are_off_with_an_honest_reason(self):
        service = call("/v1/services/tuition-payment").json
        self.assertEqual(service["switch"]["position"], "off")
        self.assertTrue(service["switch"]["reason"]["zh"] and service["switch"]["reason"]["en"])

    def test_a_page_that_did_not_change_is_not_sent_again(self):
        answer = call("/v1/services?limit=3")
        again = call("/v1/services?limit=3", headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.bytes), (304, b""))
        self.assertEqual(again.headers["ETag"], answer.headers["ETag"])


class Departments(unittest.TestCase):
    def test_43_departments_carry_187_services(self):
        items = call("/v1/departments").json["items"]
        self.assertEqual(len(items), 43)
        self.assertEqual(sum(item["services"] for item in items), 187)

    def test_a_department_is_read_by_its_slug(self):
        self.assertEqual(call("/v1/departments/metro").json["name"]["en"], "Chengdu Rail Transit Group")
        self.assertEqual(call("/v1/departments/nobody").status, 404)

    def test_the_categories_count_every_service(self):
        items = call("/v1/categories").json["items"]
        self.assertEqual(sum(item["services"] for item in items), 187)


class Areas(unittest.TestCase):
    def test_the_tree_is_walked_from_the_city_to_a_community(self):
        city = call("/v1/areas/5101").json
        self.assertEqual((city["name"], city["level"], city["parent"], city["children"]), ("成都市", "city", None, 20))
        code, levels = "5101", []
        while True:
            children = call(f"/v1/areas/{code}/children").json["items"]
            if not children:
                break
            self.assertTrue(all(child["parent"] == code for child in children))
            code = children[0]["code"]
            levels.append(children[0]["level"])
        self.assertEqual(levels, ["district", "street", "community"])

    def test_a_code_padded_with_zeros_is_the_same_area(self):
        self.assertEqual(call("/v1/areas/510104000000").json["code"], "510104")

    def test_a_code_that_is_none_is_refused_or_not_found(self):
        self.assertEqual(call("/v1/areas/51x").status, 400)
        self.assertEqual(call("/v1/areas/519999").status, 404)


if __name__ == "__main__":
    unittest.main()
