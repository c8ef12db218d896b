"""What JSON Schema cannot say of our requests: made true of those that are valid by it, just before they are sent."""

import itertools
import re

import schemathesis

KEY = re.compile(r"[!-~]{1,128}\Z")
SKUS = ["mug-blue", "notebook-a5", "gift-card-25"]
numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    for name in list(headers):
        # A key names one request.
        if name.lower() == "idempotency-key" and KEY.match(str(headers[name])):
            headers[name] = f"key-{next(numbers)}"
        # The tool's own idea of the shortest tag is none at all, which our pattern does not allow: it is not sent as a valid one.
        if name.lower() == "if-match" and headers[name] == "" and is_valid(case):
            del headers[name]
    if not isinstance(case.body, (dict, list)):
        return
    body = whole(case.body)
    # The catalogue has three products.
    if isinstance(body, dict) and isinstance(sku := body.get("sku"), str) and 1 <= len(sku) <= 128:
        body["sku"] = SKUS[len(sku) % len(SKUS)]
    # No generated password is a good one.
    for name in ("password", "new"):
        if isinstance(body, dict) and isinstance(body.get(name), str) and body[name]:
            body[name] = "a tin of seventeen sardines"
    # What is assigned is judged anew by the tool.
    if body != case.body or repr(body) != repr(case.body):
        case.body = body


def is_valid(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def whole(value):
    """The tool's own readers take no number beyond all floats."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**1000:
        return 2**60
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value
