"""Checks a running local AWS with clients that share no code with it.

    pip install -r conformance/requirements.txt
    python conformance/run.py --endpoint http://127.0.0.1:PORT

boto3 builds, describes, changes and tears down a whole mirroring set-up; awscli does some of it
again. Every answer is compared, element by element, with the service models that botocore ships.
The run fails if a scenario fails, if an answer has an element that the model does not know (or in
another place, or of another type), or if an action that the server lists was never exercised.
"""

import argparse
import json
import os
import sys
import time
import traceback
import urllib.request

sys.dont_write_bytecode = True  # a check leaves nothing in the repository

from client import Cloud
from filters import check_documented_filters
from scenarios import SCENARIOS

# The names of services in a signature, and in botocore.
SERVICES = {
    "autoscaling": "autoscaling",
    "ec2": "ec2",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "ram": "ram",
    "s3": "s3",
    "ssm": "ssm",
    "sts": "sts",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--only", help="run the scenarios whose names contain this")
    parser.add_argument("--keep", metavar="DIRECTORY", help="write every answer there")
    parser.add_argument("--standing", metavar="REGION", help="take the account of a Region as it stands")
    arguments = parser.parse_args()
    started = time.monotonic()
    if arguments.standing:
        cloud = Cloud(arguments.endpoint, arguments.standing, standing=True)
    else:
        request("POST", arguments.endpoint, "/moto-api/reset")
        cloud = Cloud(arguments.endpoint)
    failures = []
    chosen = [s for s in SCENARIOS if not arguments.only or arguments.only in s.__name__]
    for scenario in chosen:
        since = time.monotonic()
        failures += attempt(scenario, cloud)
        print(f"{scenario.__name__} {time.monotonic() - since:.1f} s", flush=True)
    failures += [f"answer: {fault}" for fault in cloud.faults()]
    failures += [f"check is blind: {spot}" for spot in cloud.blind_spots()]
    known = actions(arguments.endpoint)
    missing = sorted(known - cloud.exercised())
    if not arguments.only:
        failures += attempt(check_documented_filters, cloud)
        failures += [f"action never exercised with success: {s} {a}" for s, a in missing]
    if arguments.keep:
        cloud.keep(arguments.keep)
    for failure in failures:
        print(failure)
    print(
        f"{len(chosen)} scenarios, {len(cloud.exchanges)} answers checked, "
        f"{len(known) - len(missing)} of {len(known)} actions exercised, "
        f"{len(failures)} failures, {time.monotonic() - started:.1f} s"
    )
    return 1 if failures else 0


def attempt(scenario, cloud):
    """Runs one scenario; returns what is wrong."""
    try:
        return [f"{scenario.__name__}: {fault}" for fault in scenario(cloud) or []]
    except Exception:
        return [f"{scenario.__name__}: {traceback.format_exc()}"]


def actions(endpoint):
    """Asks the server which actions it knows, as pairs of service and action."""
    listed = json.loads(request("GET", endpoint, "/_mirror/actions"))
    return {(SERVICES[service], name) for service, names in listed.items() for name in names}


def request(method, endpoint, path):
    asked = urllib.request.Request(endpoint + path, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.read()


if __name__ == "__main__":
    # What the machine is set up with must not reach the clients, nor a proxy the loopback.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    sys.exit(main())
