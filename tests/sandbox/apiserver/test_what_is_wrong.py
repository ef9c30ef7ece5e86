"""What is wrong with an object, and what only looks odd: one row a mistake, with the API's own words."""

# ruff: noqa: E501, ISC004 - long rows of a table

import base64
import datetime

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATHS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "IngressClass": "/apis/networking.k8s.io/v1/ingressclasses",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "LimitRange": "/api/v1/namespaces/{}/limitranges",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}

MAIN = "{name: m, image: i}"
LABELLED = f"selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{MAIN}]}}}}"
ONCE = f"template: {{spec: {{restartPolicy: Never, containers: [{MAIN}]}}}}"
JOB = f"jobTemplate: {{spec: {{{ONCE}}}}}"

MISTAKES = [
    # pods
    ("Pod", "{containers: [{name: m, image: i, ports: [{containerPort: 80, hostPort: 8}, {containerPort: 81, hostPort: 8}]}]}",
     'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8"'),
    ("Pod", "{hostNetwork: true, containers: [{name: m, image: i, ports: [{containerPort: 80, hostPort: 8}]}]}",
     "spec.containers[0].ports[0].hostPort: Invalid value: 8: must match `containerPort` when `hostNetwork` is true"),
    ("Pod", "{containers: [{name: m, image: i, resources: {limits: {a.b/c: 2}, requests: {a.b/c: 1}}}]}",
     'spec.containers[0].resources.requests: Invalid value: "1": must be equal to a.b/c limit of 2'),
    ("Pod", "{containers: [{name: m, image: i, resources: {requests: {a.b/c: 1}}}]}",
     "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"),
    ("Pod", "{containers: [{name: m, image: i, env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.colour}}}]}]}",
     'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.colour": error converting fieldPath: '
     "field label not supported: spec.colour"),
    ("Pod", "{containers: [{name: m, image: i, securityContext: {runAsUser: -1}}]}",
     "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
    ("Pod", f"{{dnsPolicy: None, containers: [{MAIN}]}}",
     "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
    ("Pod", f"{{ephemeralContainers: [{{name: e, image: i}}], containers: [{MAIN}]}}",
     "spec.ephemeralContainers: Forbidden: cannot be set on create"),
    ("Pod", f"{{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{}}}}}}, containers: [{MAIN}]}}",
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: "
     "must have at least one node selector term"),
    ("Pod", f"{{volumes: [{{name: v, hostPath: {{path: /a, type: Tape}}}}], containers: [{MAIN}]}}",
     'spec.volumes[0].hostPath.type: Unsupported value: "Tape": supported values: "", "BlockDevice", "CharDevice", '
     '"Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'),
    ("Pod", f"{{volumes: [{{name: v, projected: {{sources: [{{}}]}}}}], containers: [{MAIN}]}}",
     "spec.volumes[0].projected.sources[0]: Required value: must specify a volume type"),
    # what makes pods
    ("Deployment", f"{{{LABELLED.replace('matchLabels: {a: b}', 'matchExpressions: [{key: a, operator: Like}]')}}}",
     "invalid label selector"),
    ("Deployment", f"{{{LABELLED.replace('spec: {', 'spec: {activeDeadlineSeconds: 5, ')}}}",
     "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"),
    ("DaemonSet", f"{{{LABELLED}, updateStrategy: {{rollingUpdate: {{maxUnavailable: 1, maxSurge: 1}}}}}}",
     "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"),
    ("StatefulSet", f"{{{LABELLED}, podManagementPolicy: Random}}",
     "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"),
    ("Job", f"{{{ONCE}, backoffLimitPerIndex: 1}}",
     "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
    ("Job", f"{{{ONCE}, podFailurePolicy: {{rules: [{{action: FailJob}}]}}}}",
     "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"),
    ("Job", f"{{{ONCE}, podFailurePolicy: {{rules: [{{action: FailJob, onExitCodes: {{operator: In, values: [0]}}}}]}}}}",
     "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"),
    ("Job", f"{{{ONCE}, completionMode: Indexed, completions: 2, successPolicy: {{rules: [{{succeededIndexes: 0-2}}]}}}}",
     'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-2": error parsing succeededIndexes: '
     'too large index: "2"'),
    ("CronJob", f"{{schedule: TZ=UTC 0 * * * *, {JOB}}}",
     'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
    ("CronJob", f"{{schedule: '@daily', timeZone: '', {JOB}}}",
     'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'),
    # network
    ("Service", "{type: ClusterIP, loadBalancerSourceRanges: [10.0.0.0/8], ports: [{port: 80}]}",
     "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"),
    ("Service", "{externalIPs: [127.0.0.1], ports: [{port: 80}]}",
     'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'),
    ("Service", "{ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}",
     'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'),
    ("Ingress", "{rules: [{http: {paths: [{path: /a/.., pathType: Exact, backend: {}}]}}]}",
     "spec.rules[0].http.paths[0].path: Invalid value: \"/a/..\": cannot end with '/..'"),
    ("IngressClass", "{controller: acme}",
     'spec.controller: Invalid value: "acme": must be a domain-prefixed path (such as "acme.io/foo")'),
    ("Ingress", "{rules: [{host: '*.*.x'}]}",
     "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain"),
    ("NetworkPolicy", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
     'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`'),
    ("Lease", "{leaseDurationSeconds: 0}", "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"),
    # storage and bounds
    ("PersistentVolumeClaim", "{accessModes: [ReadWriteOnce, ReadWriteOncePod], resources: {requests: {storage: 1}}}",
     "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"),
    ("PersistentVolume", "{accessModes: [ReadWriteOnce], capacity: {storage: 1}}",
     "spec: Required value: must specify a volume type"),
    ("PersistentVolume", "{accessModes: [ReadWriteOnce], capacity: {storage: 1}, hostPath: {path: /}, "
     "persistentVolumeReclaimPolicy: Recycle}",
     "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"),
    ("LimitRange", "{limits: [{type: Pod, default: {cpu: 1}}]}",
     "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"),
    ("LimitRange", "{limits: [{type: Container, max: {cpu: 1}, defaultRequest: {cpu: 2}}]}",
     'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than max value 1'),
    ("ResourceQuota", "{hard: {colour: 1}}",
     'spec.hard[colour]: Invalid value: "colour": must be a standard resource for quota'),
    ("ResourceQuota", "{hard: {pods: 1}, scopes: [Terminating, NotTerminating]}", "conflicting scopes"),
]  # fmt: skip

ODDITIES = [
    ("Pod", f"{{nodeSelector: {{beta.kubernetes.io/os: linux}}, containers: [{MAIN}]}}",
     'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'),
    ("Pod", "{containers: [{name: m, image: i, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]}",
     'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'),
    ("Pod", "{containers: [{name: m, image: i, ports: [{containerPort: 80}, {containerPort: 80}]}]}",
     "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"),
    ("Deployment", f"{{{LABELLED.replace('image: i', 'image: i, resources: {limits: {memory: 500m}}')}}}",
     'spec.template.spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an '
     "integer"),
    ("StatefulSet", f"{{{LABELLED}, revisionHistoryLimit: -1}}",
     "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"),
    ("Service", "{clusterIP: None, sessionAffinity: ClientIP}", "spec.SessionAffinity is ignored for headless services"),
    ("Service", "{externalName: a, ports: [{port: 80}]}",
     'spec.externalName is ignored when spec.type is not "ExternalName"'),
]  # fmt: skip


def create(api, namespace, kind, **fields):
    """Ask for an object without making it; the answer's status, message and warnings."""
    path = PATHS[kind].format(namespace)
    body = {"metadata": {"name": "odd"}} | fields
    status, answer, headers = api.call("POST", f"{path}?dryRun=All", body)
    texts = [
        text.removeprefix('299 - "')[:-1].replace('\\"', '"') for text in headers.get_all("Warning") or ()
    ]
    return status, answer.get("message", ""), texts


@pytest.mark.parametrize(("kind", "spec", "message"), MISTAKES)
def test_a_mistake_is_refused_in_the_api_s_words(api, namespace, kind, spec, message):
    status, said, _ = create(api, namespace, kind, spec=yaml.safe_load(spec))
    assert status == 422
    assert message in said


@pytest.mark.parametrize(("kind", "spec", "warning"), ODDITIES)
def test_an_oddity_is_taken_with_a_warning(api, namespace, kind, spec, warning):
    status, _, warnings = create(api, namespace, kind, spec=yaml.safe_load(spec))
    assert status == 201
    assert warning in warnings


def test_whoever_is_refused_hears_of_unknown_fields_too(api, namespace):
    status, _, warnings = create(api, namespace, "Pod", spec={"containers": []}, colour="red")
    assert (status, warnings) == (422, ['unknown field "colour"'])


def test_the_pods_of_a_stateful_set_are_looked_at_when_they_are_made(api, namespace):
    spec = yaml.safe_load(f"{{{LABELLED.replace(MAIN, '')}}}")
    assert create(api, namespace, "StatefulSet", spec=spec)[0] == 201


def pair():
    """A certificate and its key, both in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")])
    since = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, since, since.replace(year=2036))
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return base64.b64encode(made).decode(), base64.b64encode(secret).decode()


def test_a_certificate_and_a_key_belong_together(api, namespace):
    (certificate, key), (_, other) = pair(), pair()

    def warned(chain, secret):
        data = {"tls.crt": chain, "tls.key": secret}
        return create(api, namespace, "Secret", type="kubernetes.io/tls", data=data)[2]

    assert warned(certificate, key) == []
    assert warned(certificate, other) == ["tls: private key does not match public key"]
    assert warned(key, certificate) == [
        "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
        "PEM inputs may have been switched"
    ]
    assert warned("", "") == ["tls: failed to find any PEM data in certificate input"]


def test_of_two_default_priority_classes_the_second_is_refused(api):
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    first, second = (
        {"metadata": {"name": name}, "value": 1, "globalDefault": True} for name in ("first", "second")
    )
    assert api.call("POST", path, first)[0] == 201
    status, answer, _ = api.call("POST", path, second)
    assert api.call("DELETE", f"{path}/first")[0] == 200
    text = "PriorityClass first is already marked as default. Only one default can exist"
    assert (status, answer["message"]) == (
        403,
        f'priorityclasses.scheduling.k8s.io "second" is forbidden: {text}',
    )


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"null", 422, "metadata.name: Required value: name or generateName is required"),
        (
            {"apiVersion": 5},
            400,
            "json: cannot unmarshal number into Go struct field .apiVersion of type string",
        ),
        ({"kind": []}, 400, "json: cannot unmarshal array into Go struct field .kind of type string"),
    ],
)
def test_bodies_that_say_nothing_or_something_else(api, config_maps, body, status, message):
    got, answer, _ = api.call("POST", config_maps, body)
    assert (got, message in answer["message"]) == (status, True)


def test_a_put_names_its_object(api, config_maps):
    status, answer, _ = api.call("PUT", f"{config_maps}/a", {"data": {}})
    text = "the name of the object (a based on URL) was undeterminable: name must be provided"
    assert (status, answer["message"]) == (400, text)


def test_a_watch_says_all_that_is_wrong_with_how_it_begins(api, config_maps):
    status, answer, _ = api.call("GET", f"{config_maps}?watch=yes&resourceVersionMatch=Exact")
    assert status == 422
    assert [cause["reason"] for cause in answer["details"]["causes"]] == [
        "FieldValueForbidden",
        "FieldValueNotSupported",
    ]
