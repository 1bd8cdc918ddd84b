"""What of SARIF 2.1.0 Hob writes, as a JSON schema of ours: nothing is allowed that the standard's schema
does not have. https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"""

from typing import Any


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT = {"type": "string", "minLength": 1}
_LINE = {"type": "integer", "minimum": 1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_MESSAGE = _object(["text"], text=_TEXT)
_ARTIFACT = _object(["uri"], uri={"type": "string", "format": "uri-reference"}, uriBaseId=_TEXT)
_REGION = _object(["startLine"], startLine=_LINE, startColumn=_LINE, endLine=_LINE, endColumn=_LINE)
_PLACE = _object(["artifactLocation"], artifactLocation=_ARTIFACT, region=_REGION)
_REPLACEMENT = _object(
    ["deletedRegion"],
    deletedRegion=_REGION,
    insertedContent=_object([], text={"type": "string"}),
)
_CHANGE = _object(
    ["artifactLocation", "replacements"],
    artifactLocation=_ARTIFACT,
    replacements={**_list(_REPLACEMENT), "minItems": 1},
)
_RESULT = _object(
    ["message"],
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=_LEVEL,
    rank={"type": "number", "minimum": -1, "maximum": 100},
    message=_MESSAGE,
    locations=_list(_object([], physicalLocation=_PLACE)),
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
    fixes={
        **_list(
            _object(
                ["artifactChanges"],
                description=_MESSAGE,
                artifactChanges={**_list(_CHANGE), "minItems": 1, "uniqueItems": True},
            )
        ),
        "uniqueItems": True,
    },
)
_DRIVER = _object(
    ["name"],
    name=_TEXT,
    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
    rules={
        **_list(
            _object(
                ["id"],
                id=_TEXT,
                name=_TEXT,
                shortDescription=_MESSAGE,
                helpUri={"type": "string", "format": "uri"},
            )
        ),
        "uniqueItems": True,
    },
)
_INVOCATION = _object(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=_list(_object(["message"], level=_LEVEL, message=_MESSAGE)),
)
_RUN = _object(
    ["tool"],
    tool=_object(["driver"], driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    invocations=_list(_INVOCATION),
    results=_list(_RESULT),
)
SCHEMA = _object(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}, "version": {"enum": ["2.1.0"]}, "runs": _list(_RUN)},
)
