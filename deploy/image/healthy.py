"""Asks this container's Scrapyd how it is, as its own user; exits with 0 when it answers that all is well."""

import base64
import json
import sys
import urllib.request

from metacrawl.settings import SCRAPYD_PASSWORD, SCRAPYD_USERNAME

URL = "http://127.0.0.1:6800/daemonstatus.json"
credentials = base64.b64encode(f"{SCRAPYD_USERNAME}:{SCRAPYD_PASSWORD}".encode()).decode()
request = urllib.request.Request(URL, headers={"Authorization": f"Basic {credentials}"})
with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - the URL above
    sys.exit(json.load(answer)["status"] != "ok")
