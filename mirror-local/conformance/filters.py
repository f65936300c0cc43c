"""Tries every filter that the documentation of a Describe call names."""

import re

from botocore.exceptions import ClientError

# What is documented in the manner of filters but is a value of one, `scan-result.highest-finding-severity-label`.
VALUES = {"informational", "low", "medium", "high", "critical"}


def check_documented_filters(cloud):
    """Returns the filters that the server refuses."""
    refused = set()
    for name in sorted(name for service, name in cloud.exercised() if service == "ec2"):
        operation = cloud.ec2.meta.service_model.operation_model(name)
        members = operation.input_shape.members if operation.input_shape else {}
        if not name.startswith("Describe") or "Filters" not in members:
            continue
        for documented in names(members["Filters"].documentation):
            if documented not in VALUES and not accepts(cloud, operation, documented):
                refused.add(f"{name} {documented}")
    return [f"refused, though documented: {line}" for line in sorted(refused)]


def names(documentation):
    """Reads the names of filters out of the documentation of a parameter."""
    found = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>\s*[-:–]", documentation)
    return ["tag:Name" if name.startswith("tag") and name != "tag-key" else name for name in found]


def accepts(cloud, operation, name):
    """Calls a Describe action with one filter, and what else the call needs."""
    parameters = {"Filters": [{"Name": name, "Values": ["0"]}]}
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation.name).lower()
    try:
        getattr(cloud.ec2, method)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] == "MissingParameter"
    return True
