"""Reads {url, concurrency, bodies} on stdin, posts each body to the url, and prints a list of {status, body, ms}."""

import concurrent.futures
import json
import sys
import time
import urllib.error
import urllib.request


def timed(body):
    begun = time.monotonic()
    answer = post(body)
    return {**answer, "ms": 1000 * (time.monotonic() - begun)}


def post(body):
    request = urllib.request.Request(
        wanted["url"], json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return {"status": answer.status, "body": json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": json.load(error)}
    except (OSError, ValueError) as error:
        return {"status": 0, "body": {"error": str(error)}}


wanted = json.load(sys.stdin)
with concurrent.futures.ThreadPoolExecutor(wanted["concurrency"]) as pool:
    print(json.dumps(list(pool.map(timed, wanted["bodies"]))))
