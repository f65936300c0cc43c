"""Faults that others have written, between `mirror` and its local AWS.

    pip install -r requirements.txt
    python run.py --mirror PATH --stack FILE [--each]

microburst stands between the binary and `mirror local serve`. For each way in which a call can fail,
a stack is applied and destroyed while every action of both fails in that way once; with --each, each
action alone. A command may fail then; it is run again until it succeeds. A case is bad if that does
not come, if a plan then finds anything to do, if a command panics, if anything is left over, or if
any of the thousand objects that others have in the account is not as it was.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import botocore.session

REGION = "eu-west-1"

# What happens to a call, in the words of microburst's rules.
FAULTS = {
    "throttled": {"error": {"code": "RequestLimitExceeded", "status": 503}},
    "500": {"error": {"code": "InternalError", "status": 500}},
    "503": {"error": {"code": "ServiceUnavailable", "status": 503}},
    "504": {"timeout_ms": 200},
    "reset": {"reset": True},
    "answer lost": {"response": {"abort_bytes": 0}},
    "answer cut": {"response": {"abort_frac": 0.5}},
    "answer truncated": {"response": {"truncate_frac": 0.5}},
    "answer corrupted": {"response": {"corrupt_bytes": 16}},
    "delayed": {"latency": 300},
}

# microburst knows a service by another name than the one that requests are signed for.
SERVICES = {"elasticloadbalancing": "elbv2"}

# Reads the model of a service once. It makes one client at a time.
SESSION = botocore.session.get_session()
ONE_AT_A_TIME = threading.Lock()

# More runs than there are actions, for a command that each of them can stop.
RUNS_MAX = 80

# What others have, besides the same stack under another name: a filter and a rule, five hundred times.
OTHERS = """
mirror_filter "others" {
  count = 500
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp" }]
}
"""

HELD = {
    "ec2": [
        "Vpcs", "Subnets", "InternetGateways", "RouteTables", "SecurityGroups", "SecurityGroupRules",
        "NetworkInterfaces", "Volumes", "TrafficMirrorTargets", "TrafficMirrorFilters",
        "TrafficMirrorFilterRules", "TrafficMirrorSessions",
    ],
    "elbv2": ["LoadBalancers", "TargetGroups"],
}


class Bench:
    """A local AWS of its own with what others have in it, microburst before it, and a folder with the stack."""

    def __init__(self, mirror, stack, account):
        self.mirror = mirror
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="microburst-"))
        (self.folder / "lab.mirror.hcl").write_text(stack)
        shutil.copytree(account, self.folder / ".mirror" / "local")
        self.server = subprocess.Popen(
            [mirror, "local", "serve", "--port", "0"],
            cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        self.upstream = self.server.stdout.readline().strip()
        port = free_port()
        self.proxy_url = f"http://127.0.0.1:{port}"
        self.proxy = subprocess.Popen(
            [sys.executable, "-m", "microburst", "--upstream", self.upstream, "--port", str(port)],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait_for(port)

    def close(self):
        for process in (self.proxy, self.server):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder)

    def environment(self):
        return {
            "HOME": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": REGION,
            "MIRROR_SETTLE_WINDOW": "2",
        }

    def rules(self, rules):
        control(self.proxy_url, "POST", "rules", rules)

    def run(self, *arguments):
        environment = self.environment() | {"AWS_ENDPOINT_URL": self.proxy_url}
        return subprocess.run(
            [self.mirror, *arguments], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def until_done(self, *arguments):
        """Runs a command until it succeeds; returns what is wrong, if anything."""
        for _ in range(RUNS_MAX):
            ended = self.run(*arguments)
            if ended.returncode == 0:
                return None
            if ended.returncode not in (1, 2) or "panicked" in ended.stdout:
                return f"{' '.join(arguments)} ended with {ended.returncode}: {ended.stdout}"
        return f"{' '.join(arguments)} never succeeded: {ended.stdout}"

    def holds(self):
        """Returns everything in the account, each thing as the text of all that AWS tells about it."""
        held = {what: self.describe(service, what) for service, all in HELD.items() for what in all}
        reservations = self.describe("ec2", "Instances", key="Reservations")
        held["Instances"] = [
            instance for reservation in reservations for instance in reservation["Instances"]
            if instance["State"]["Name"] != "terminated"
        ]
        text = lambda thing: json.dumps(thing, sort_keys=True, default=str)
        return {f"{what}: {text(thing)}" for what, things in held.items() for thing in things}

    def describe(self, service, what, key=None):
        client = self.client(service)
        name = "describe" + "".join("_" + c.lower() if c.isupper() else c for c in what)
        if client.can_paginate(name):
            return client.get_paginator(name).paginate().build_full_result()[key or what]
        return getattr(client, name)()[key or what]

    def client(self, service):
        with ONE_AT_A_TIME:
            return SESSION.create_client(
                service, region_name=REGION, endpoint_url=self.upstream,
                aws_access_key_id="any", aws_secret_access_key="any",
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--each", action="store_true", help="one action at a time")
    arguments = parser.parse_args()
    stack = pathlib.Path(arguments.stack).read_text()
    account = inhabited(arguments.mirror, stack)
    actions, others = learn(arguments.mirror, stack, account)
    groups = [[action] for action in actions] if arguments.each else [actions]
    cases = [(fault, group) for fault in FAULTS for group in groups]

    def attempt(case):
        fault, group = case
        try:
            bench = Bench(arguments.mirror, stack, account)
            return case, *try_case(bench, FAULTS[fault], group, others)
        except Exception as error:  # whatever it is, it is bad
            return case, 0, repr(error)

    fired, bad = 0, []
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        for (fault, group), count, wrong in pool.map(attempt, cases):
            fired += count
            if wrong:
                bad.append(f"{fault}, {len(group)} actions ({group[0][1]}): {wrong}")
    for wrong in bad:
        print(wrong)
    print(
        f"{len(actions)} actions, {len(FAULTS)} faults, {fired} of "
        f"{len(actions) * len(FAULTS)} pairs struck, {len(others)} objects of others, "
        f"{len(bad)} of {len(cases)} cases bad"
    )
    sys.exit(1 if bad or fired < len(actions) * len(FAULTS) else 0)


def inhabited(mirror, stack):
    """Returns the folder of a local AWS in which others have a thousand objects, some with the names of the stack's."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="microburst-others-"))
    others = stack.replace('stack "lab"', 'stack "others"') + OTHERS
    (folder / "others.mirror.hcl").write_text(others)
    command = [mirror, "--local", "apply", "--auto-approve"]
    environment = {"HOME": str(folder)}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder / ".mirror" / "local"


def learn(mirror, stack, account):
    """Returns every action of an apply and a destroy, with its service, and what others have."""
    bench = Bench(mirror, stack, account)
    try:
        for command in ("apply", "destroy"):
            wrong = bench.until_done(command, "--auto-approve")
            assert not wrong, wrong
        log = subprocess.run(
            [mirror, "local", "log", "--json"], cwd=bench.folder, env=bench.environment(),
            text=True, stdout=subprocess.PIPE, check=True,
        )
        calls = [json.loads(line) for line in log.stdout.splitlines()]
        actions = {(SERVICES.get(call["service"], call["service"]), call["action"]) for call in calls}
        others = bench.holds()  # only now, for these calls are in the log, too
        assert len(others) > 1_000, len(others)
        return sorted(actions), others
    finally:
        bench.close()


def try_case(bench, fault, group, others):
    """Returns how many of the actions were struck, and what is wrong."""
    try:
        rules = [
            {"service": service, "operation": action, "times": 1, **fault}
            for service, action in group
        ]
        bench.rules(rules)
        wrong = (
            bench.until_done("apply", "--auto-approve")
            or bench.until_done("plan", "--detailed-exitcode")
            or bench.until_done("destroy", "--auto-approve")
        )
        fired = control(bench.proxy_url, "GET", "fired?limit=2000")
        struck = {(event["service"], event["operation"]) for event in fired}
        after = bench.holds()
        differs = [f"gone: {thing}" for thing in others - after]
        differs += [f"left over: {thing}" for thing in after - others]
        return len(struck), wrong or "\n".join(differs)
    finally:
        bench.close()


def control(proxy, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{proxy}/_microburst/{path}", data=data, method=method,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


if __name__ == "__main__":
    main()
