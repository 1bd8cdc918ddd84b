"""The bill of materials of a release, in CycloneDX. https://cyclonedx.org/docs/1.6/json/"""

import uuid
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from tests.release.lock import Pin, normal

OURS = "hobbot"
HASHES = "the hashes are of each file of this version that an index has; one of them is what is installed"


def sbom(version: str, commit: str, seconds: int, pinned: list[Pin]) -> dict[str, Any]:
    """What is installed beside `version` of Hob. `seconds`, since 1970, are the commit's: the same commit
    makes the same file, but for licences, which those packages tell that are installed here."""
    root = f"pkg:generic/{OURS}@{version}"
    named = {normal(pin.name): pin.purl for pin in pinned}
    asks: dict[str, set[str]] = {root: set(), **{purl: set() for purl in named.values()}}
    for pin in pinned:
        for asker in pin.via:
            asks[named.get(normal(asker), root)].add(pin.purl)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{OURS} {version} {commit}')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(seconds, UTC).isoformat(),
            "tools": {"components": [{"type": "application", "name": "make release", "version": version}]},
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": OURS,
                "version": version,
                "purl": root,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [_component(pin) for pin in pinned],
        "dependencies": [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(asks.items())],
    }


def _component(pin: Pin) -> dict[str, Any]:
    properties = [{"name": "hob:hashes", "value": HASHES}]
    if pin.marker:
        properties.append({"name": "hob:installed-where", "value": pin.marker})
    component = {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "purl": pin.purl,
        "hashes": [{"alg": "SHA-256", "content": content} for content in pin.hashes],
        "properties": properties,
    }
    return component | ({"licenses": found} if (found := _licenses(pin)) else {})


def _licenses(pin: Pin) -> list[dict[str, Any]]:
    """As the installed package says; none where it is not here in this version, or says nothing short."""
    try:
        about = metadata(pin.name)
    except PackageNotFoundError:
        return []
    if about["Version"] != pin.version:
        return []
    if expression := about["License-Expression"]:
        return [{"expression": expression}]
    said = [one for one in about.get_all("Classifier") or [] if one.startswith("License :: ")]
    names = [one.rpartition(" :: ")[2] for one in said if one != "License :: OSI Approved"]
    text = (about["License"] or "").strip()
    if not names and text and len(text) <= 80 and "\n" not in text:
        names = [text]
    return [{"license": {"name": name}} for name in names]
