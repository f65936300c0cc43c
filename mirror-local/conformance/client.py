"""Clients of the local AWS whose every exchange is recorded and checked."""

import collections
import copy
import pathlib
import time

import boto3
import botocore.model
from botocore.config import Config
from botocore.exceptions import ClientError

import model

Exchange = collections.namedtuple("Exchange", "service operation status headers body")

# Long enough for every transition of the local AWS.
PATIENCE_S = 20


class Refused(Exception):
    """A call that was to be refused was not, or not with the right code."""


class Cloud:
    def __init__(self, endpoint, region="us-east-1", standing=False):
        self.endpoint = endpoint
        self.region = region
        # Whether the account holds something that a scenario is to find.
        self.standing = standing
        self.exchanges = []
        self.stored = set()
        self.session = self._session("test")
        self.ec2 = self._client("ec2")
        self.elb = self._client("elbv2")
        self.scaling = self._client("autoscaling")
        self.sts = self._client("sts")
        self.ssm = self._client("ssm")
        self.s3 = self._client("s3")
        self.metrics = self._client("cloudwatch")
        self.metrics_in_xml = self._client_in_xml("cloudwatch")
        self.ram = self._client("ram")

    def of_account(self, number):
        """Returns the same cloud with clients of another account for what can be shared."""
        other = copy.copy(self)
        other.session = self._session(number)
        other.ec2, other.ram = other._client("ec2"), other._client("ram")
        return other

    def _session(self, access_key):
        return boto3.Session(
            aws_access_key_id=access_key, aws_secret_access_key="test", region_name=self.region
        )

    def _client_in_xml(self, service):
        """Returns a client that speaks the Query protocol, where boto3 prefers another."""
        preferred = botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS
        botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = ("query",)
        try:
            return self._client(service)
        finally:
            botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = preferred

    def _client(self, service):
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        client = self.session.client(service, endpoint_url=self.endpoint, config=config)
        client.meta.events.register(f"before-parse.{service}", self._record)
        return client

    def _record(self, operation_model, response_dict, **_):
        if operation_model.service_model.service_name == "s3":
            # Most of these answers are headers: the scenario looks at every value of them itself.
            if response_dict["status_code"] < 300:
                self.stored.add(("s3", operation_model.name))
            return
        self.exchanges.append(
            Exchange(
                operation_model.service_model.service_name,
                operation_model,
                response_dict["status_code"],
                response_dict["headers"],
                response_dict["body"],
            )
        )

    def refused(self, code, call, **parameters):
        """Makes a call that must be refused with a code."""
        try:
            call(**parameters)
        except ClientError as error:
            found = error.response["Error"]["Code"]
            if found != code:
                raise Refused(f"{parameters}: {found} instead of {code}: {error}") from None
            return
        raise Refused(f"{parameters} was not refused with {code}")

    def until(self, condition, what):
        """Waits until a condition holds; returns its value."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        raise TimeoutError(what)

    def exercised(self):
        """Returns the actions that were answered with success, with their services."""
        return {(e.service, e.operation.name) for e in self.exchanges if e.status < 300} | self.stored

    def faults(self):
        """Returns everything in which answers differ from the models, each once."""
        faults = collections.OrderedDict()
        for exchange in self.exchanges:
            for fault in model.check(exchange):
                faults[f"{exchange.service} {exchange.operation.name}: {fault}"] = True
        return list(faults)

    def blind_spots(self):
        """Returns what the checks would not notice, looking at one answer of each operation."""
        longest = {}
        for exchange in self.exchanges:
            name = (exchange.service, exchange.operation.name)
            if exchange.status < 300 and len(exchange.body) > len(getattr(longest.get(name), "body", b"")):
                longest[name] = exchange
        return [
            f"{operation}: {spot}"
            for (_, operation), exchange in longest.items()
            if len(exchange.body) < 20_000
            for spot in model.blind_spots(exchange)
        ]

    def keep(self, directory):
        """Writes every answer to a file of its own."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for number, exchange in enumerate(self.exchanges):
            name = f"{number:05}-{exchange.operation.name}-{exchange.status}"
            (directory / name).write_bytes(exchange.body)


def check(condition, what):
    """Fails the scenario if a condition does not hold."""
    if not condition:
        raise AssertionError(what)


def tags(kind, **pairs):
    """Returns the tag specification of a create call."""
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in pairs.items()]}]
