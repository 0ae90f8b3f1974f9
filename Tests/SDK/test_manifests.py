"""Everything in k8s/ is what a cluster takes: by the schemas of Kubernetes, by the restricted standard of pod security, by kustomize."""

import json
import shutil
import subprocess
from functools import cache

import kubernetes_validate
import pytest
import yaml

from processes import ROOT, binary

K8S = ROOT / "k8s"
# The oldest with native sidecars, and the newest that there are schemas of.
VERSIONS = ["1.29", "1.37"]
FILES = sorted(path for path in K8S.rglob("*.yaml"))
FOLDERS = sorted(path.parent for path in K8S.rglob("kustomization.yaml"))
OVERLAYS = sorted(path for path in (K8S / "overlays").iterdir() if path.is_dir())
# Kinds of operators that a cluster may or may not have: their schemas are not those of Kubernetes.
FOREIGN = ("monitoring.coreos.com/", "cert-manager.io/")


def documents(text: str) -> list[dict]:
    return [document for document in yaml.safe_load_all(text) if document]


def is_object(document) -> bool:
    return isinstance(document, dict) and "kind" in document and "apiVersion" in document


def validate(document: dict):
    if document["apiVersion"].startswith(FOREIGN):
        return
    for version in VERSIONS:
        kubernetes_validate.validate(document, version, strict=True)


@cache
def rendered(folder) -> list[dict]:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl here to render with")
    text = subprocess.run(["kubectl", "kustomize", str(folder)], check=True, capture_output=True, text=True).stdout
    return documents(text)


def test_every_manifest_is_valid():
    count = 0
    for path in FILES:
        if path.name == "kustomization.yaml":
            continue
        for document in documents(path.read_text()):
            if not is_object(document) or document["kind"] == "Kustomization":
                continue
            validate(document)
            labels = document["metadata"]["labels"]
            assert document["kind"] == "Namespace" or labels["app.kubernetes.io/name"].startswith("sluice"), path
            count += 1
    assert count >= 25


def test_schemas_see_mistakes():
    document = yaml.safe_load((K8S / "base/injector/disruption.yaml").read_text())
    document["spec"]["minAvailabel"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(document)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(K8S)))
def test_every_file_is_listed_and_every_listed_file_is_there(folder):
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    listed = set(kustomization.get("resources", []))
    for generator in kustomization.get("configMapGenerator", []):
        listed |= {name.split("=")[-1] for name in generator.get("files", [])}
    for name in listed:
        assert (folder / name).exists(), name
    if K8S / "base" in folder.parents or K8S / "overlays" in folder.parents:
        there = {path.name for path in folder.iterdir() if path.is_file()} - {"kustomization.yaml"}
        assert there <= listed


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_overlays_are_rendered_and_valid(folder):
    found = rendered(folder)
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in found]
    assert len(names) == len(set(names)) > 3
    for document in found:
        validate(document)
    namespaces = {one["metadata"]["name"] for one in found if one["kind"] == "Namespace"}
    if namespaces:
        assert {one["metadata"]["namespace"] for one in found if "namespace" in one["metadata"]} <= namespaces | {"monitoring"}


def pod_specs(found: list[dict]):
    for one in found:
        if one["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def check_restricted(spec: dict):
    """Pod Security Standards, `restricted`, and more: nothing is written to the root, everything is bounded."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        assert not spec.get(field)
    pod = spec.get("securityContext", {})
    for volume in spec.get("volumes", []):
        assert set(volume) - {"name"} <= {"configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim", "downwardAPI"}
    for container in spec["containers"] + spec.get("initContainers", []):
        context = {**pod, **container["securityContext"]}
        assert context["runAsNonRoot"] is True
        assert context.get("runAsUser", 1) != 0
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not context.get("privileged")
        assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert not any("hostPort" in port for port in container.get("ports", []))


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_pods_are_confined_and_what_they_refer_to_is_there(folder):
    found = rendered(folder)
    there = {(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in found}
    secrets_of_others = {"sluice-injector-tls"}  # cert-manager makes it
    for one in found:
        if one["kind"] not in ("Deployment", "StatefulSet"):
            continue
        spec = one["spec"]["template"]["spec"]
        namespace = one["metadata"]["namespace"]
        check_restricted(spec)
        if "serviceAccountName" in spec:
            assert ("ServiceAccount", namespace, spec["serviceAccountName"]) in there
        for volume in spec.get("volumes", []):
            if "configMap" in volume:
                assert ("ConfigMap", namespace, volume["configMap"]["name"]) in there
            if "secret" in volume and volume["secret"]["secretName"] not in secrets_of_others:
                assert ("Secret", namespace, volume["secret"]["secretName"]) in there
        for container in spec["containers"]:
            volumes = {volume["name"] for volume in spec.get("volumes", [])}
            volumes |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
            for source in container.get("envFrom", []):
                assert ("Secret", namespace, source["secretRef"]["name"]) in there
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                for way in ("httpGet", "tcpSocket"):
                    if port := container.get(probe, {}).get(way, {}).get("port"):
                        assert port in ports
        # Whatever is in front of it chooses these pods, by ports that they have.
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
        services = [
            service for service in found
            if service["kind"] == "Service" and service["metadata"]["namespace"] == namespace
            and service["spec"]["selector"].items() <= labels.items()
        ]
        assert services
        names = {port["name"] for container in spec["containers"] for port in container["ports"]}
        for service in services:
            assert {port["targetPort"] for port in service["spec"]["ports"] if "targetPort" in port} <= names


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_command_lines_are_understood(folder, tmp_path):
    for name, spec in pod_specs(rendered(folder)):
        for container in spec["containers"]:
            if "sluice:" not in container["image"]:
                continue
            done = subprocess.run(
                [binary(), container["args"][0], "--help"], capture_output=True, text=True, timeout=20, check=True)
            for argument in container["args"][1:]:
                if argument.startswith("--"):
                    assert f"{argument.split('=')[0]} " in done.stdout, (name, argument)


def test_the_sidecars_are_made_of_the_injectors_image(tmp_path):
    overlay = tmp_path / "kustomization.yaml"
    base = K8S / "overlays/sidecar"
    text = (base / "kustomization.yaml").read_text().replace("newName: sluice", "newName: registry.example:5000/sluice")
    # kustomize reads from below its own folder, and what it is led to by relative paths.
    shutil.copytree(K8S / "base", tmp_path / "base")
    overlay.write_text(text.replace("../../base", "base"))
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl here to render with")
    done = subprocess.run(["kubectl", "kustomize", str(tmp_path)], check=True, capture_output=True, text=True)
    deployment = next(one for one in documents(done.stdout) if one["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example:5000/sluice:0.1.0"
    assert container["args"][1:3] == ["--image", container["image"]]


def test_the_webhook_is_called_for_the_right_pods():
    found = rendered(K8S / "overlays/sidecar")
    configuration = next(one for one in found if one["kind"] == "MutatingWebhookConfiguration")
    service = next(one for one in found if one["kind"] == "Service")
    assert len(configuration["webhooks"]) == 2
    for webhook in configuration["webhooks"]:
        assert webhook["failurePolicy"] == "Ignore"
        assert webhook["timeoutSeconds"] <= 5
        assert webhook["sideEffects"] == "None"
        assert webhook["reinvocationPolicy"] == "IfNeeded"
        assert webhook["admissionReviewVersions"] == ["v1"]
        reference = webhook["clientConfig"]["service"]
        assert (reference["name"], reference["namespace"]) == (service["metadata"]["name"], service["metadata"]["namespace"])
        assert reference["port"] in [port["port"] for port in service["spec"]["ports"]]
        assert "caBundle" not in webhook["clientConfig"]
        excluded = next(
            rule for rule in webhook["namespaceSelector"]["matchExpressions"] if rule["key"] == "kubernetes.io/metadata.name")
        assert excluded["operator"] == "NotIn"
        assert {"kube-system", "sluice-system"} <= set(excluded["values"])
        assert {"key": "sluice.io/component", "operator": "DoesNotExist"} in webhook["objectSelector"]["matchExpressions"]
        assert [rule["operations"] for rule in webhook["rules"]] == [["CREATE"]]


def test_the_injector_may_do_what_it_needs_and_nothing_else():
    found = rendered(K8S / "overlays/sidecar")
    rules = [rule for one in found if one["kind"] in ("Role", "ClusterRole") for rule in one["rules"]]
    assert sorted((rule["resources"][0], tuple(rule["verbs"]), tuple(rule["resourceNames"])) for rule in rules) == [
        ("mutatingwebhookconfigurations", ("get", "patch"), ("sluice-injector",)),
        ("secrets", ("get", "patch"), ("sluice-injector-certificates",)),
    ]
    secret = next(one for one in found if one["kind"] == "Secret")
    assert "data" not in secret and "stringData" not in secret  # applying it again must not empty it


def test_what_api_servers_trust_outlives_what_is_served():
    found = {(one["kind"], one["metadata"]["name"]): one for one in rendered(ROOT / "k8s/overlays/cert-manager")}
    webhook = found["MutatingWebhookConfiguration", "sluice-injector"]
    served = found["Certificate", webhook["metadata"]["annotations"]["cert-manager.io/inject-ca-from"].split("/")[1]]
    issuer = found["Issuer", served["spec"]["issuerRef"]["name"]]
    [authority] = [
        one for (kind, _), one in found.items()
        if kind == "Certificate" and one["spec"]["secretName"] == issuer["spec"].get("ca", {}).get("secretName")]
    assert authority["spec"]["isCA"] is True
    assert int(authority["spec"]["duration"].removesuffix("h")) >= 10 * int(served["spec"].get("duration", "2160h").removesuffix("h"))


def test_configurations_are_valid(tmp_path):
    for path in K8S.rglob("*.json5"):
        done = subprocess.run(
            [binary(), "check", str(path)], env={"OPENAI_API_KEY": "sk-example"}, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stdout + done.stderr


def test_scripts_are_scripts():
    scripts = sorted(K8S.rglob("*.sh"))
    assert scripts
    for script in scripts:
        subprocess.run(["sh", "-n", str(script)], check=True)


def test_json_in_the_folder_is_json():
    for path in K8S.rglob("*.json"):
        json.loads(path.read_text())
