"""Places, feeds and texts: searched, paged, streamed, and answered while departments are away."""
import contextlib
import http.client
import math
import ssl
import time
import unittest
import urllib.parse

from client import URL, behave, call, login, metric, shimin, sql, wait_until

CENTRE = (30.6586, 104.0648)
AED = "/v1/services/health-facility-aed-map/places"
HALLS = "/v1/services/service-hall-queue/feed"
GUIDES = "/v1/services/service-guide/content"


def places(path=AED, headers=None, **query):
    if isinstance(query.get("near"), tuple):
        query["near"] = ",".join(map(str, query["near"]))
    return call(path + "?" + urllib.parse.urlencode(query), headers=headers)


def metres(a, b):
    """Along a great circle of the mean sphere."""
    (lat1, lon1), (lat2, lon2) = [map(math.radians, point) for point in (a, b)]
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371008.8 * math.asin(math.sqrt(half))


def all_pages(path, limit, **query):
    items, cursor = [], {}
    while True:
        answer = places(path, limit=limit, **query, **cursor)
        assert answer.status == 200, answer
        items += answer.json["items"]
        if not answer.json["next_cursor"]:
            return items
        cursor = {"cursor": answer.json["next_cursor"]}


class Events:
    """One stream of server-sent events; each event is a dictionary of its fields, a comment is {":": text}."""

    def __init__(self, path, headers=None):
        address = urllib.parse.urlsplit(URL)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=30, context=context)
        self.connection.request("GET", path, headers=headers or {})
        self.response = self.connection.getresponse()

    def next(self):
        """None when the stream has ended."""
        event = {}
        while True:
            line = self.response.readline().decode()
            if not line:
                return None
            if line == "\n" and event:
                return event
            name, _, value = line.rstrip("\n").partition(":")
            event[name or ":"] = value.removeprefix(" ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


class Places(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        wait_until(lambda: places().status == 200, 60, "the first pull")

    def test_the_nearest_comes_first_with_its_distance(self):
        answer = places(near=CENTRE, radius=20000, limit=50).json
        self.assertGreater(len(answer["items"]), 5)
        distances = [place["distance"] for place in answer["items"]]
        self.assertEqual(distances, sorted(distances))
        for place in answer["items"]:
            at = (place["location"]["latitude"], place["location"]["longitude"])
            self.assertAlmostEqual(place["distance"], metres(CENTRE, at), delta=1)
        self.assertEqual((answer["source"], answer["stale"]), ("health", False))
        self.assertIn("+08:00", answer["as_of"])

    def test_nothing_is_farther_than_the_radius(self):
        self.assertTrue(all(place["distance"] <= 3000 for place in all_pages(AED, 100, near=CENTRE, radius=3000)))
        self.assertEqual(places(near="0.5,0.5").json["items"], [])

    def test_pages_join_to_the_whole_without_a_gap_or_a_double(self):
        for query in ({}, {"near": CENTRE, "radius": 50000}):
            whole = [place["id"] for place in all_pages(AED, 100, **query)]
            self.assertEqual([place["id"] for place in all_pages(AED, 7, **query)], whole)
            self.assertEqual(len(set(whole)), len(whole))

    def test_a_cursor_goes_on_with_its_own_question_only(self):
        cursor = places(near=CENTRE, radius=50000, limit=1).json["next_cursor"]
        for other in ({"near": CENTRE, "radius": 40000}, {}, {"near": CENTRE, "radius": 50000, "text": "AED"}):
            answer = places(cursor=cursor, **other)
            self.assertEqual((answer.status, answer.json["code"]), (400, "invalid-cursor"))
        self.assertEqual(places(cursor="AAAA").json["code"], "invalid-cursor")

    def test_coordinates_of_chinese_maps_mean_the_same_place(self):
        """The same point of Chengdu in three systems (coordtransform): within metres, not hundreds of metres."""
        gcj02 = (30.656158, 104.067313)
        plain = places(near=CENTRE, radius=20000, limit=1).json["items"][0]["distance"]
        shifted = places(near=gcj02, coord_sys="GCJ02", radius=20000, limit=1).json["items"][0]["distance"]
        self.assertAlmostEqual(plain, shifted, delta=5)
        self.assertNotEqual(places(near=gcj02, radius=20000, limit=1).json["items"][0]["distance"], plain)
        self.assertEqual(places(near=CENTRE, coord_sys="CGCS2000", radius=20000, limit=1).json["items"][0]["distance"], plain)

    def test_open_at_leaves_out_what_is_known_to_be_closed(self):
        night, noon = "2026-03-02T03:00:00+08:00", "2026-03-02T12:00:00+08:00"
        at_night, at_noon = all_pages(AED, 100, open_at=night), all_pages(AED, 100, open_at=noon)
        self.assertLess(len(at_night), len(at_noon))
        self.assertTrue(all(place["open"] in ("open", "unknown") for place in at_night + at_noon))
        self.assertEqual({place["opening_hours"] for place in at_night if place["open"] == "open"}, {"24/7"})
        self.assertEqual(len(all_pages(AED, 100, open_at="2026-03-01T19:00:00Z")), len(at_night))
        self.assertEqual(places(open_at="now").status, 200)

    def test_text_and_category_filter(self):
        found = all_pages(AED, 100, text="aed 广场")
        self.assertTrue(found)
        self.assertTrue(all("AED" in place["name"] and "广场" in place["name"] + place["address"] for place in found))
        category = found[0]["category"]
        self.assertEqual({place["category"] for place in all_pages(AED, 100, category=category)}, {category})
        self.assertEqual(places(category="没有这一类").json["items"], [])
        self.assertEqual(places(text="%' OR 1=1 --").json["items"], [])

    def test_geojson_is_given_to_who_prefers_it(self):
        answer = places(near=CENTRE, limit=2, headers={"Accept": "application/geo+json, application/json;q=0.5"})
        self.assertEqual(answer.headers["Content-Type"], "application/geo+json")
        self.assertEqual(answer.json["type"], "FeatureCollection")
        longitude, latitude = answer.json["features"][0]["geometry"]["coordinates"]
        self.assertLess(latitude, longitude)
        self.assertIn("distance", answer.json["features"][0]["properties"])
        self.assertIn("Accept", answer.headers.get_all("Vary"))
        self.assertEqual(places(headers={"Accept": "*/*"}).headers["Content-Type"], "application/json")
        self.assertEqual(places(headers={"Accept": "text/html"}).status, 406)

    def test_faulty_parameters_are_named(self):
        for name, value in (("near", "30.6"), ("near", "91,104"), ("radius", "0"), ("radius", "50001"), ("open_at", "tomorrow"),
                            ("coord_sys", "MARS"), ("limit", "0"), ("text", ""), ("category", "x" * 101)):
            answer = places(**{name: value})
            self.assertEqual((answer.status, answer.json["errors"][0]["parameter"]), (400, name), value)

    def test_an_unchanged_page_is_not_sent_again(self):
        first = places(limit=3)
        again = places(limit=3, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.status, again.bytes), (304, b""))

    def test_other_archetypes_have_no_places(self):
        self.assertEqual(places("/v1/services/service-guide/places").status, 404)
        self.assertEqual(places("/v1/services/no-such-service/places").status, 404)

    def test_every_service_of_places_was_pulled(self):
        slugs = [item["slug"] for item in call("/v1/services?archetype=locate&limit=100").json["items"] if item["switch"]["position"] == "open"]
        self.assertGreater(len(slugs), 10)
        for slug in slugs:
            wait_until(lambda path=f"/v1/services/{slug}/places": places(path).status == 200 and places(path).json["items"], 60, slug)
            self.assertEqual(metric("publication_pulls_total", service=slug, outcome="department_failed"), 0)


class Feeds(unittest.TestCase):
    def tearDown(self):
        behave("gov-service")
        behave("metro")

    def test_a_feed_says_when_to_come_again(self):
        answer = call(HALLS)
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.headers["Cache-Control"], r"^public, max-age=([12]?[0-9]|30)$")
        self.assertTrue(answer.json["items"])
        self.assertEqual(set(answer.json["items"][0]), {"id", "title", "updated_at", "details"})
        self.assertEqual((answer.json["source"], answer.json["stale"]), ("gov-service", False))

    def test_unchanged_items_are_not_sent_again(self):
        def unchanged():
            first = call(HALLS)
            return call(HALLS, headers={"If-None-Match": first.headers["ETag"]}).status == 304
        wait_until(unchanged, what="an unchanged feed")

    def test_the_last_good_copy_is_given_while_the_department_fails(self):
        path = "/v1/services/metro-line-timetable/feed"  # renewed every 15 seconds
        good = call(path).json
        behave("metro", "failing")
        stale = wait_until(lambda: (answer := call(path)).json.get("stale") and answer, 60, "a stale feed")
        self.assertEqual(stale.status, 200)
        self.assertEqual(len(stale.json["items"]), len(good["items"]))
        behave("metro")
        wait_until(lambda: call(path).json.get("stale") is False, 60, "a fresh feed")

    def test_events_begin_with_the_items_and_go_on_with_changes(self):
        with Events("/v1/services/bus-arrivals/feed/events") as stream:  # renewed every 10 seconds
            self.assertEqual(stream.response.getheader("Content-Type"), "text/event-stream")
            first, second = stream.next(), stream.next()
            self.assertEqual((first["event"], second["event"]), ("items", "items"))
            self.assertNotEqual(first["id"], second["id"])
            self.assertIn('"items":[', second["data"])

    def test_who_has_the_last_event_gets_no_second_one(self):
        path = "/v1/services/market-price-board/feed/events"  # renewed every 5 minutes
        seen = set()  # each worker has a copy of its own; come until one is met again
        def met_again():
            with Events(path) as stream:
                identity = stream.next()["id"]
            with Events(path, {"Last-Event-ID": identity}) as stream:
                seen.add(identity)
                return stream.next() == {":": ""}
        wait_until(met_again, what="a heartbeat instead of the items")

    def test_a_switched_service_ends_its_streams_and_says_so(self):
        try:
            with Events("/v1/services/service-hall-queue/feed/events") as stream:
                self.assertEqual(stream.next()["event"], "items")
                self.assertEqual(shimin("switch", "service-hall-queue", "off", "--reason-zh", "维护", "--reason-en", "Upkeep").returncode, 0)
                begun = time.monotonic()
                event = stream.next()
                while event and event.get("event") != "switched":
                    event = stream.next()
                self.assertLess(time.monotonic() - begun, 20)
                self.assertIn('"position":"off"', event["data"])
                self.assertIn("Upkeep", event["data"])
                self.assertIsNone(stream.next())
            self.assertEqual(call(HALLS).status, 503)
        finally:
            shimin("switch", "service-hall-queue", "open")
        wait_until(lambda: call(HALLS).status == 200, what="the service open again")

    def test_clients_that_leave_make_room_for_others(self):
        for _ in range(20):
            with contextlib.ExitStack() as stack:
                for _ in range(30):
                    self.assertEqual(stack.enter_context(Events("/v1/services/city-pulse/feed/events")).response.status, 200)


class Content(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        wait_until(lambda: call(GUIDES).status == 200, 60, "the first pull")

    def test_documents_are_listed_newest_first_by_pages(self):
        whole = all_pages(GUIDES, 100)
        self.assertTrue(whole)
        times = [document["updated_at"] for document in whole]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(all_pages(GUIDES, 3), whole)
        self.assertEqual(set(whole[0]), {"id", "title", "updated_at", "version"})

    def test_a_document_has_its_text_and_its_version_as_tag(self):
        head = call(GUIDES).json["items"][0]
        answer = call(f"{GUIDES}/{head['id']}")
        self.assertEqual((answer.status, answer.json["version"]), (200, head["version"]))
        self.assertIn("## ", answer.json["body"])
        self.assertTrue(answer.headers["ETag"].startswith(f'"{head["version"]}'))
        again = call(f"{GUIDES}/{head['id']}", headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.bytes), (304, b""))
        self.assertEqual(call(f"{GUIDES}/{head['id']}?version={head['version']}").json, answer.json)

    def test_versions_are_listed_newest_first(self):
        head = call(GUIDES).json["items"][0]
        versions = call(f"{GUIDES}/{head['id']}/versions").json["items"]
        self.assertEqual([version["version"] for version in versions], list(range(head["version"], 0, -1)))
        self.assertRegex(versions[0]["sha256"], "^[0-9a-f]{64}$")

    def test_a_text_that_has_changed_is_a_new_version_and_the_old_ones_stay(self):
        head = call(GUIDES).json["items"][-1]
        path = f"{GUIDES}/{head['id']}"
        known = call(path).json
        # what is newest in the records is not what the department says any more, and it is to be asked now
        sql("INSERT INTO shimin.content_version (service_slug, id, version, title, body, updated_at, source) SELECT service_slug, id,"
            f" version + 1, title, '旧文', updated_at, source FROM shimin.content_version WHERE service_slug = 'service-guide'"
            f" AND id = '{head['id']}' AND version = {head['version']};"
            "UPDATE shimin.publication SET pulled_at = now() - interval '1 day', lease_until = NULL WHERE service_slug = 'service-guide'")
        answer = wait_until(lambda: (a := call(path)).json["version"] == head["version"] + 2 and a, what="the new version")
        self.assertEqual(answer.json["body"], known["body"])
        self.assertEqual(answer.headers["ETag"], f'"{head["version"] + 2}"')
        self.assertEqual(call(path, headers={"If-None-Match": f'"{head["version"]}"'}).status, 200)
        self.assertEqual(call(f"{path}?version={head['version'] + 1}").json["body"], "旧文")
        self.assertEqual(call(f"{path}?version={head['version']}").json["body"], known["body"])
        versions = call(f"{path}/versions").json["items"]
        self.assertEqual([v["version"] for v in versions][:3], [head["version"] + n for n in (2, 1, 0)])
        self.assertEqual(versions[0]["sha256"], versions[2]["sha256"])

    def test_what_does_not_exist_is_not_found(self):
        head = call(GUIDES).json["items"][0]
        for path in ("/no-such-document", "/no-such-document/versions", "/no-such-document?version=1", f"/{head['id']}?version=999999"):
            self.assertEqual(call(GUIDES + path).status, 404, path)

    def test_faulty_parameters_are_refused(self):
        head = call(GUIDES).json["items"][0]
        for path in (f"/{head['id']}?version=0", f"/{head['id']}?version=x", "?cursor=AAAA", f"/{head['id']}/versions?cursor=AAAA"):
            self.assertEqual(call(GUIDES + path).status, 400, path)

    def test_the_level_of_the_service_counts(self):
        path = "/v1/services/my-community-home/content"
        self.assertEqual(call(path).status, 401)
        self.assertEqual(call(path, token=login()).status, 200)


if __name__ == "__main__":
    unittest.main()
