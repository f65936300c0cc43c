"""Compares an answer with the service model of botocore, element by element.

Clients drop what they do not know, so an element that is misspelt, misplaced or wrapped wrongly
would go unnoticed otherwise.
"""

import json
import re
import xml.etree.ElementTree as ElementTree

PRIMITIVES = {
    "boolean": r"true|false",
    "double": r"-?\d+(\.\d+)?([eE][+-]?\d+)?",
    "float": r"-?\d+(\.\d+)?([eE][+-]?\d+)?",
    "integer": r"-?\d+",
    "long": r"-?\d+",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "blob": r"[A-Za-z0-9+/=\s]*",
    "string": r"(?s:.*)",
}

# EC2 writes this where the model has no output.
UNMODELLED = {"return"}

# Values that AWS sends although the model's enumeration lacks them.
UNLISTED = {
    # An attached internet gateway is `available`.
    ("AttachmentStatus", "available"),
    # The states of an endpoint begin with a small letter.
    *(("State", state) for state in ("pendingAcceptance", "pending", "available", "deleting", "rejected")),
}

# Codes of Elastic Load Balancing and EC2 Auto Scaling that no operation lists because every one has them.
COMMON_CODES = {"ValidationError", "Throttling", "InvalidAction", "InternalFailure"}


def check(exchange):
    """Returns in what an answer differs from the model."""
    output = exchange.operation.output_shape
    if is_json(exchange):
        return check_json(exchange, output)
    try:
        root = ElementTree.fromstring(exchange.body)
    except ElementTree.ParseError as error:
        return [f"not XML: {error}"]
    identifiers = {e.text for e in root.iter() if local(e).lower() == "requestid"}
    faults = []
    if identifiers != {exchange.headers.get("x-amzn-requestid")}:
        faults.append("the request id differs between header and body")
    if exchange.status >= 300:
        return faults + check_failure(exchange, root)
    return faults + check_success(exchange, root, output)


def is_json(exchange):
    return "json" in exchange.headers.get("content-type", "")


def blind_spots(exchange):
    """Returns the elements of a good answer that could be misspelt without being noticed."""
    if is_json(exchange) or exchange.status >= 300 or check(exchange):
        return []
    root = ElementTree.fromstring(exchange.body)
    spots = []
    for node in root.iter():
        name = node.tag
        node.tag = name + "X"
        if not check(exchange._replace(body=ElementTree.tostring(root))):
            spots.append(f"<{local(node)[:-1]}> could be misspelt")
        node.tag = name
    return spots


def check_success(exchange, root, output):
    metadata = exchange.operation.service_model.metadata
    wanted = exchange.operation.name + "Response"
    faults = [] if local(root) == wanted else [f"root <{local(root)}> instead of <{wanted}>"]
    space = root.tag[1:].partition("}")[0].rstrip("/")
    if space != metadata["xmlNamespace"].rstrip("/"):
        faults.append(f"namespace {space}")
    children = list(root)
    if metadata["protocol"] == "ec2":
        children = [child for child in children if local(child) != "requestId"]
        return faults + structure(children, output, wanted, UNMODELLED)
    wrapper = output.serialization.get("resultWrapper") if output else None
    results = [c for c in children if local(c) == (wrapper or exchange.operation.name + "Result")]
    rest = [local(c) for c in children if c not in results]
    if rest != ["ResponseMetadata"]:
        faults.append(f"beside the result there is {rest}")
    if not output:
        return faults + ["a result where there can be none" for _ in results]
    if len(results) != 1:
        return faults + [f"{len(results)} results"]
    return faults + structure(list(results[0]), output, wanted, set())


def structure(children, shape, path, allowed):
    """Compares the inside of an element with a structure."""
    members = {}
    for name, member in (shape.members if shape else {}).items():
        members[wire_name(name, member)] = member
    faults, seen = [], set()
    for child in children:
        name = local(child)
        at = f"{path}.{name}"
        if name in allowed and name not in members:
            continue
        if name not in members:
            faults.append(f"<{at}> is not in the model")
            continue
        if name in seen and not members[name].serialization.get("flattened"):
            faults.append(f"<{at}> twice")
        seen.add(name)
        faults += element(child, members[name], at)
    return faults


def element(node, shape, path):
    """Compares one element with its shape."""
    children, text = list(node), (node.text or "")
    if shape.type_name == "structure":
        return blank(node, path) + structure(children, shape, path, set())
    if shape.type_name == "list":
        wanted = shape.member.serialization.get("name", "member")
        faults = blank(node, path)
        for child in children:
            if local(child) != wanted:
                faults.append(f"<{path}> has <{local(child)}> instead of <{wanted}>")
            else:
                faults += element(child, shape.member, f"{path}.{wanted}")
        return faults
    if children:
        return [f"<{path}> has elements inside, but is a {shape.type_name}"]
    if shape.type_name == "timestamp" and shape.serialization.get("timestampFormat"):
        return []
    if not re.fullmatch(PRIMITIVES[shape.type_name], text):
        return [f"<{path}> is no {shape.type_name}: {text!r}"]
    enum = getattr(shape, "enum", None)
    if enum and text not in enum and (shape.name, text) not in UNLISTED:
        return [f"<{path}> is no {shape.name}: {text!r}"]
    return []


def blank(node, path):
    """Refuses text where there may only be elements."""
    stray = (node.text or "").strip() + "".join((child.tail or "").strip() for child in node)
    return [f"<{path}> has stray text {stray!r}"] if stray else []


def check_failure(exchange, root):
    """Compares the envelope of a failure with that of its protocol."""
    found = outline(root)
    code = next((e.text for e in root.iter() if local(e) == "Code"), None)
    if exchange.operation.service_model.metadata["protocol"] == "ec2":
        wanted = "Response(Errors(Error(Code Message)) RequestID)"
        faults = []
    else:
        wanted = "ErrorResponse(Error(Type Code Message) RequestId)"
        modelled = {e.metadata.get("error", {}).get("code", e.name) for e in
                    exchange.operation.error_shapes}
        known = code in modelled | COMMON_CODES
        faults = [] if known else [f"the operation has no error {code}"]
    return faults if found == wanted else faults + [f"failure {found} instead of {wanted}"]


def outline(node):
    inside = " ".join(outline(child) for child in node)
    return f"{local(node)}({inside})" if inside else local(node)


def check_json(exchange, output):
    try:
        value = json.loads(exchange.body)
    except ValueError as error:
        return [f"not JSON: {error}"]
    if exchange.status >= 300:
        return [] if set(value) <= {"__type", "message"} else [f"failure with {set(value)}"]
    return json_value(value, output, exchange.operation.name)


JSON_TYPES = {
    "boolean": bool,
    "double": (int, float),
    "integer": int,
    "list": list,
    "long": int,
    "string": str,
    "structure": dict,
    "timestamp": (int, float),
}


def json_value(value, shape, path):
    """Compares a JSON value with its shape."""
    if not isinstance(value, JSON_TYPES[shape.type_name]):
        return [f"{path} is no {shape.type_name}: {value!r}"]
    faults = []
    if shape.type_name == "structure":
        for name, inside in value.items():
            if name in shape.members:
                faults += json_value(inside, shape.members[name], f"{path}.{name}")
            else:
                faults.append(f"{path}.{name} is not in the model")
    if shape.type_name == "list":
        for inside in value:
            faults += json_value(inside, shape.member, path + "[]")
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        faults.append(f"{path} is no {shape.name}: {value!r}")
    return faults


def wire_name(name, member):
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.member.serialization.get("name", name)
    return member.serialization.get("name", name)


def local(node):
    return node.tag.rpartition("}")[2]
