"""Reads a page of metrics from standard input with Prometheus' own client for Python, and fails where a scraper would stumble.

Its reader of the text format forgives a lot. Its reader of OpenMetrics does not: a series that comes twice, a family that is torn apart,
buckets that fall, a count that is not the last bucket's. So both read the page; between the formats there are three spellings.
"""

import re
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as strictly
from prometheus_client.parser import text_string_to_metric_families as leniently


def read(families):
    """The types of the families, and how many samples each has."""
    return sorted((family.name, family.type, len(family.samples)) for family in families)


page = sys.stdin.read()
families = list(leniently(page))
for family in families:
    if family.type not in ("counter", "gauge", "histogram") or not family.documentation:
        sys.exit(f"{family.name}: its type or its help is missing")

spelled = re.sub(r"^(# (?:HELP|TYPE) \S+)_total ", r"\1 ", page, flags=re.MULTILINE)
spelled = re.sub(r'le="(\d+)"', r'le="\1.0"', spelled) + "# EOF\n"
if read(strictly(spelled)) != read(families):
    sys.exit("the two formats do not say the same")
samples = sum(len(family.samples) for family in families)
if samples < 100:
    sys.exit(f"only {samples} samples: that is not the page of a server which was tried for long")
print(f"Metrics: {len(families)} families with {samples} samples")
