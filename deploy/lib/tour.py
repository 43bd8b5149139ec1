"""What ./deploy/run shows when it is ready: addresses, and a tour whose commands can be pasted."""
from settings import CHECKOUT

TOUR = """
A tour, to be pasted into another shell in this folder ({checkout}):

# services, without an account
  curl -k '{url}/v1/services?category=travel'
# log in: a code comes by SMS, which the sandbox shows instead of sending
  curl -k -d '{{"phone_number":"+8613800138000"}}' -H 'content-type: application/json' {url}/v1/login/codes
  curl -s '{sandbox}/sandbox/messages?phone_number=%2B8613800138000'
  CODE=$(curl -s '{sandbox}/sandbox/messages?phone_number=%2B8613800138000' | grep -oE '\\b[0-9]{{6}}\\b' | head -1)
  TOKEN=$(curl -sk -d '{{"phone_number":"+8613800138000","code":"'$CODE'"}}' -H 'content-type: application/json' {url}/v1/sessions | tee /dev/stderr | grep -oE '"token": ?"[^"]+' | cut -d'"' -f4)
# prove the real name: level L2, and a new token
  TOKEN=$(curl -sk -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{{"name":"张伟","id_number":"11010519491231002X"}}' {url}/v1/me/identity | tee /dev/stderr | grep -oE '"token": ?"[^"]+' | cut -d'"' -f4)
# the city's answer to "how much is in my housing fund?", and who read it
  curl -k -H "authorization: Bearer $TOKEN" {url}/v1/services/housing-fund-balance/records
  curl -k -H "authorization: Bearer $TOKEN" {url}/v1/me/footprint
# prove a live face, which the department's SDK would film: level L3; then see border crossings
  FACE=$(curl -sk -X POST -H "authorization: Bearer $TOKEN" {url}/v1/me/face-verifications | tee /dev/stderr | grep -oE '"id": ?"[^"]+' | cut -d'"' -f4)
  TOKEN=$(curl -sk -X POST -H "authorization: Bearer $TOKEN" {url}/v1/me/face-verifications/$FACE/completion | tee /dev/stderr | grep -oE '"token": ?"[^"]+' | cut -d'"' -f4)
  curl -k -H "authorization: Bearer $TOKEN" {url}/v1/services/exit-entry-records/records
# close a service without a restart, look, and open it again
  ./deploy/shimin switch metro-arrivals off --reason "line 3 is being tested"
  curl -k {url}/v1/services/metro-arrivals
  ./deploy/shimin switch metro-arrivals open
"""


def show(stack, first_line):
    environment = stack.environment()
    url, sandbox = environment["SHIMIN_URL"], environment["SHIMIN_SANDBOX"]
    print(f"\n{first_line}\n\n"
          f"  the API        {url}   (plain, this machine only: {environment['SHIMIN_PLAIN_URL']})\n"
          f"  its contract   {url}/openapi.json\n"
          f"  operations     {environment['SHIMIN_OPERATIONS']}/readyz?verbose, /livez, /metrics\n"
          f"  the sandbox    {sandbox}/sandbox/departments\n"
          f"  Postgres       PGPASSFILE={environment['PGPASSFILE']} psql '{environment['SHIMIN_POSTGRES_OWNER']}'\n"
          f"  logs           {stack.directory}/log/", flush=True)
    print(TOUR.format(url=url, sandbox=sandbox, checkout=CHECKOUT), flush=True)
