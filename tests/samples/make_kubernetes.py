"""Makes `kubernetes/schemas.json.gz` of the package kubernetes-validate: the kinds that deploy/kubernetes
uses and all that they refer to, without descriptions.

    pip download --no-deps kubernetes-validate==1.37.0
    python -m tests.samples.make_kubernetes kubernetes_validate-1.37.0-py3-none-any.whl
"""

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.samples.archive import save_json

KINDS = (
    "configmap-v1",
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "job-batch-v1",
    "namespace-v1",
    "networkpolicy-networking-v1",
    "poddisruptionbudget-policy-v1",
    "service-v1",
)
TO = Path(__file__).parent / "kubernetes" / "schemas.json.gz"


def kept(node: Any) -> Any:
    """Without what people read; references by the last part of their path."""
    if isinstance(node, list):
        return [kept(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {
        name: {field: kept(one) for field, one in value.items()} if name == "properties" else kept(value)
        for name, value in node.items()
        if name not in ("description", "$schema", "$id") and not name.startswith("x-kubernetes")
    }
    if ref := found.get("$ref"):
        return {"$ref": "#/$defs/" + ref.rpartition("/")[2]}
    return found


def main(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (newest,) = re.findall(r"-([\d.]+)-py3", wheel)
        folder = f"kubernetes_validate/kubernetes-json-schema/v{newest}-local-strict/"
        every = json.loads(archive.read(f"{folder}_definitions.json"))["$defs"]
        roots = {name: kept(json.loads(archive.read(f"{folder}{name}.json"))) for name in KINDS}
    defs: dict[str, Any] = {}
    todo = sorted(set(re.findall(r'#/\$defs/([^"]+)', json.dumps(roots))))
    while todo:
        if (name := todo.pop()) not in defs:
            defs[name] = kept(every[name])
            todo += re.findall(r'#/\$defs/([^"]+)', json.dumps(defs[name]))
    kinds = {
        f"{root['properties']['apiVersion']['enum'][0]} {root['properties']['kind']['enum'][0]}": root
        for root in roots.values()
    }
    save_json(TO, {"kinds": kinds, "$defs": defs})


if __name__ == "__main__":
    main(sys.argv[1])
