"""deploy/kubernetes: each manifest is what its schema says, field by field, and says of Hob what is true."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
import yaml

from bot.cli.framework import Commands, hob
from bot.config import Config, load_config
from bot.config.complaints import variables
from bot.queue.connect import QUEUES
from bot.web.openapi import document
from tests.samples.archive import load_json

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "kubernetes"
SCHEMAS = ROOT / "tests" / "samples" / "kubernetes"
FREE = {"labels", "matchLabels", "annotations", "data", "requests", "limits"}
"""Where any name may stand."""

Manifest = dict[str, Any]
Steps = tuple[str | int, ...]


@cache
def manifests() -> tuple[Manifest, ...]:
    files = [path for path in sorted(FOLDER.glob("*.yaml")) if path.name != "kustomization.yaml"]
    return tuple(one for path in files for one in yaml.safe_load_all(path.read_text()))


@cache
def validators() -> dict[str, jsonschema_rs.Validator]:
    """By `apiVersion kind`."""
    told = load_json(SCHEMAS / "schemas.json.gz")
    kinds = {**told["kinds"], **yaml.safe_load((SCHEMAS / "keda.yaml").read_text())}
    return {
        name: jsonschema_rs.validator_for({**kind, "$defs": told["$defs"]}) for name, kind in kinds.items()
    }


def complaints(manifest: Manifest) -> list[str]:
    validator = validators()[f"{manifest['apiVersion']} {manifest['kind']}"]
    return [f"{error.instance_path}: {error.message[:200]}" for error in validator.iter_errors(manifest)]


def named(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(kind: str) -> list[Manifest]:
    return [one for one in manifests() if one["kind"] == kind]


def pods() -> list[Manifest]:
    return [one["spec"]["template"]["spec"] for one in of_kind("Deployment")]


def containers() -> list[Manifest]:
    return [one for pod in pods() for one in (*pod["initContainers"], *pod["containers"])]


@pytest.mark.parametrize("manifest", manifests(), ids=named)
def test_a_manifest_is_what_its_schema_says(manifest: Manifest) -> None:
    assert complaints(manifest) == []


def fields(node: Any, steps: Steps = ()) -> Iterator[Steps]:
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(name, str):
            yield (*steps, name)
        if isinstance(value, dict | list):
            yield from fields(value, (*steps, name))


@pytest.mark.parametrize("manifest", manifests(), ids=named)
def test_each_misspelt_field_is_found(manifest: Manifest) -> None:
    found = [*fields(manifest)]
    for steps in found:
        spoilt = copy.deepcopy(manifest)
        node = spoilt
        for step in steps[:-1]:
            node = node[step]  # type: ignore[index]
        node[f"{steps[-1]}x"] = node.pop(str(steps[-1]))
        free = FREE | ({"selector"} if manifest["kind"] == "Service" else set())
        if "apiVersion" in spoilt and "kind" in spoilt and not free & set(steps[:-1]):
            assert complaints(spoilt), steps
    assert len(found) > 4


def test_a_value_of_another_type_is_found() -> None:
    (serve,) = [one for one in of_kind("Deployment") if one["metadata"]["name"] == "hob-serve"]
    for steps, value in (
        (("spec", "replicas"), "two"),
        (("spec", "template", "spec", "automountServiceAccountToken"), "no"),
        (("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "http"),
        (("spec", "template", "spec", "containers", 0, "command"), "hob serve"),
    ):
        spoilt = copy.deepcopy(serve)
        node: Any = spoilt
        for step in steps[:-1]:
            node = node[step]
        node[steps[-1]] = value
        assert complaints(spoilt), steps


def test_every_command_and_option_is_one_that_hob_has() -> None:
    ran = [one["command"] for one in containers() if one["command"][0] == "hob"]
    assert {words[1] for words in ran} == {"serve", "work", "schedule", "migrate"}
    context = click.Context(hob)
    for words in ran:
        command = Commands.get_command(hob, context, words[1])  # type: ignore[arg-type]
        assert command is not None
        command.make_context(words[1], words[2:])  # wrong usage is raised


def test_workers_leave_scheduling_to_those_of_which_one_leads() -> None:
    replicas = {one["metadata"]["name"]: one["spec"].get("replicas") for one in of_kind("Deployment")}
    assert replicas == {"hob-serve": 2, "hob-schedule": 2, "hob-work": None}  # None: KEDA or the HPA decides
    work = next(one for one in containers() if one["name"] == "work")
    assert work["command"] == ["hob", "work", "--no-schedule"]


def environ(container: Manifest) -> dict[str, str]:
    secret = {
        "database_url": "postgresql+psycopg://hob:x@db/hob",
        "redis_url": "redis://:x@redis:6379/0",
    }
    return {
        one["name"]: one.get("value") or secret[one["valueFrom"]["secretKeyRef"]["key"]]
        for one in container.get("env", ())
    }


def test_the_configuration_is_one_that_hob_reads(tmp_path: Path) -> None:
    (config,) = of_kind("ConfigMap")
    (tmp_path / "hob.toml").write_text(config["data"]["hob.toml"])
    for container in containers():
        if container["command"][0] == "hob":
            told = environ(container)
            assert set(told) <= set(variables())
            read = load_config(tmp_path / "hob.toml", told)
            assert read.server.port == Config().server.port
            assert read.server.host == "0.0.0.0"
            assert not read.queue.embedded
            assert read.store.database_url.startswith("postgresql")
            assert told["HOB_CONFIG"] == "/etc/hob/hob.toml"
    files = {
        str(read.github.private_key_file),
        str(read.github.webhook_secret_file),
        str(read.api.token_file),
    }
    copied = {f"/run/hob/{Path(word).name}" for word in containers()[0]["command"] if "/secrets/" in word}
    assert files == copied


def test_ports_and_probes_are_those_of_the_receiver() -> None:
    (serve,) = [one for one in containers() if one["name"] == "serve"]
    assert serve["ports"] == [{"name": "http", "containerPort": Config().server.port}]
    open_paths = {
        path for path, told in document()["paths"].items() if told.get("get", {}).get("security") == []
    }
    probes = [probe["httpGet"] for name, probe in serve.items() if name.endswith("Probe")]
    assert len(probes) == 3
    assert all(probe["port"] == "http" and probe["path"] in open_paths for probe in probes)
    (service,) = of_kind("Service")
    assert [one["targetPort"] for one in service["spec"]["ports"]] == ["http"]
    (ingress,) = of_kind("Ingress")
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": "http"}}
    assert (path["path"], path["pathType"]) == ("/webhook", "Exact")


def test_who_is_selected_is_there() -> None:
    labelled = [one["spec"]["template"]["metadata"]["labels"].items() for one in of_kind("Deployment")]
    for manifest in manifests():
        for steps in fields(manifest):
            if (
                steps[-1] not in ("matchLabels", "selector")
                or "namespaceSelector" in steps
                or "metric" in steps
            ):
                continue
            node: Any = manifest
            for step in steps:
                node = node[step]
            if "matchLabels" not in node:
                assert any(node.items() <= labels for labels in labelled), (named(manifest), steps)
    targets = [
        one["spec"]["scaleTargetRef"]
        for one in manifests()
        if "scaleTargetRef" in one["spec" if "spec" in one else "metadata"]
    ]
    assert targets == [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "hob-work"}] * 2


def test_workers_grow_with_the_lists_that_rq_keeps() -> None:
    (scaled,) = of_kind("ScaledObject")
    lists = {one["name"]: one["metadata"]["listName"] for one in scaled["spec"]["triggers"]}
    assert lists == {priority: f"rq:queue:{name}" for priority, name in QUEUES.items()}
    (auth,) = of_kind("TriggerAuthentication")
    used = {one["authenticationRef"]["name"] for one in scaled["spec"]["triggers"]}
    assert used == {auth["metadata"]["name"]}
    (other,) = of_kind("HorizontalPodAutoscaler")
    for metric in (one["external"]["metric"] for one in other["spec"]["metrics"]):
        assert metric["selector"]["matchLabels"]["queue"] in QUEUES
        assert f'"{metric["name"]}"' in (ROOT / "bot" / "web" / "metrics.py").read_text()


def test_nothing_runs_as_root_or_may_become_it() -> None:
    """What Kubernetes calls `restricted`, and a root file system that cannot be written."""
    (uid,) = re.findall(r"--uid (\d+)", (ROOT / "deploy" / "Dockerfile").read_text())
    for pod in pods():
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        held = pod["securityContext"]
        assert held["runAsNonRoot"] is True and held["runAsUser"] == int(uid)
        assert held["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        names = {volume["name"] for volume in pod["volumes"]}
        for volume in pod["volumes"]:
            assert "hostPath" not in volume
            assert "sizeLimit" in volume["emptyDir"] if "emptyDir" in volume else True
        for one in (*pod["initContainers"], *pod["containers"]):
            assert one["image"] == "hobbot"
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in one["resources"]["limits"] and "cpu" in one["resources"]["requests"]
            assert {mount["name"] for mount in one["volumeMounts"]} <= names
            reads = [mount for mount in one["volumeMounts"] if mount["name"] == "secrets"]
            assert bool(reads) == (one["name"] == "files")  # what a group can read nobody else mounts
    (space,) = of_kind("Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_secrets_that_are_named_are_those_that_a_person_is_told_to_make() -> None:
    told = (FOLDER / "kustomization.yaml").read_text()
    made: dict[str, set[str]] = {}
    for name, rest in re.findall(r"create secret generic (\S+)((?:.*\\\n)*.*)", told):
        made[name] = set(re.findall(r"--from-(?:literal=|file=)([\w.]+)", rest))
    urls = {
        one["valueFrom"]["secretKeyRef"]["key"]
        for container in containers()
        for one in container.get("env", ())
        if "valueFrom" in one
    }
    (auth,) = of_kind("TriggerAuthentication")
    urls |= {one["key"] for one in auth["spec"]["secretTargetRef"]}
    files = {Path(word).name for word in containers()[0]["command"] if word.startswith("/secrets/")}
    assert made == {"hob-urls": urls, "hob-files": files}


def test_what_is_applied_is_all_but_the_alternative() -> None:
    told = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    files = {path.name for path in FOLDER.glob("*.yaml")}
    assert set(told["resources"]) == files - {"kustomization.yaml", "hpa.yaml"}
    assert [one["name"] for one in told["images"]] == ["hobbot"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", told["images"][0]["digest"])
