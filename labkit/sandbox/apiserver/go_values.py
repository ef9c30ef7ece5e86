"""Which fields a Kubernetes object shows although they are zero.

The API's Go types decide whether ``replicas: 0`` is kept, ``hostNetwork: false`` dropped and ``resources: {}``
always there; its OpenAPI schemas do not say.  The rules, of which only the exceptions need a table:

- a required field is always there; when absent it has its type's zero value (0, "", false, null, {});
- an optional number, string or truth value that is zero is dropped, as are empty maps and lists;
- an object inside an object is kept even when it is empty;
- ``metadata``, and ``spec`` and ``status`` of a kind, are always there.

Source: the struct tags of Kubernetes 1.36's API types (k8s.io/api): pointer or not, ``omitempty`` or not.
"""

from __future__ import annotations

from typing import Final

# Optional scalars that keep their zero (they are pointers: "0" and "not said" differ).
KEPT_ZEROS: Final = {
    "meta.v1.ObjectMeta": "deletionGracePeriodSeconds managedFields",
    "meta.v1.OwnerReference": "controller blockOwnerDeletion",
    "apiextensions.v1.CustomResourceDefinitionVersion": "deprecationWarning",
    "apiextensions.v1.CustomResourceSubresourceScale": "labelSelectorPath",
    "apiextensions.v1.ServiceReference": "path port",
    "apiextensions.v1.WebhookClientConfig": "url",
    "apiextensions.v1.ValidationRule": "reason optionalOldSelf",
    "apiextensions.v1.JSONSchemaProps": (
        "maximum minimum maxLength minLength maxItems minItems multipleOf maxProperties minProperties default"
        " x-kubernetes-preserve-unknown-fields x-kubernetes-list-type x-kubernetes-map-type"
    ),
    "admissionregistration.v1.MatchResources": "matchPolicy",
    "admissionregistration.v1.MutatingAdmissionPolicySpec": "failurePolicy",
    "admissionregistration.v1.MutatingWebhook": (
        "failurePolicy matchPolicy sideEffects timeoutSeconds reinvocationPolicy"
    ),
    "admissionregistration.v1.ParamRef": "parameterNotFoundAction",
    "admissionregistration.v1.ServiceReference": "path port",
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": "failurePolicy",
    "admissionregistration.v1.ValidatingWebhook": "failurePolicy matchPolicy sideEffects timeoutSeconds",
    "admissionregistration.v1.Validation": "reason",
    "admissionregistration.v1.WebhookClientConfig": "url",
    "apps.v1.DaemonSetSpec": "revisionHistoryLimit",
    "apps.v1.DaemonSetStatus": "collisionCount",
    "apps.v1.DeploymentSpec": "replicas revisionHistoryLimit progressDeadlineSeconds",
    "apps.v1.DeploymentStatus": "terminatingReplicas collisionCount",
    "apps.v1.ReplicaSetSpec": "replicas",
    "apps.v1.ReplicaSetStatus": "terminatingReplicas",
    "apps.v1.RollingUpdateStatefulSetStrategy": "partition",
    "apps.v1.StatefulSetSpec": "replicas revisionHistoryLimit",
    "apps.v1.StatefulSetStatus": "collisionCount",
    "authentication.v1.TokenRequestSpec": "expirationSeconds",
    "autoscaling.v1.HorizontalPodAutoscalerSpec": "minReplicas targetCPUUtilizationPercentage",
    "autoscaling.v1.HorizontalPodAutoscalerStatus": "observedGeneration currentCPUUtilizationPercentage",
    "autoscaling.v2.HPAScalingRules": "stabilizationWindowSeconds selectPolicy",
    "autoscaling.v2.HorizontalPodAutoscalerSpec": "minReplicas",
    "autoscaling.v2.HorizontalPodAutoscalerStatus": "observedGeneration",
    "autoscaling.v2.MetricTarget": "averageUtilization",
    "autoscaling.v2.MetricValueStatus": "averageUtilization",
    "batch.v1.CronJobSpec": (
        "timeZone startingDeadlineSeconds suspend successfulJobsHistoryLimit failedJobsHistoryLimit"
    ),
    "batch.v1.JobSpec": (
        "parallelism completions activeDeadlineSeconds backoffLimit backoffLimitPerIndex "
        "maxFailedIndexes manualSelector ttlSecondsAfterFinished completionMode suspend "
        "podReplacementPolicy managedBy"
    ),
    "batch.v1.JobStatus": "terminating failedIndexes ready",
    "batch.v1.PodFailurePolicyOnExitCodesRequirement": "containerName",
    "batch.v1.SuccessPolicyRule": "succeededIndexes succeededCount",
    "certificates.v1.CertificateSigningRequestSpec": "expirationSeconds",
    "coordination.v1.LeaseSpec": (
        "holderIdentity leaseDurationSeconds leaseTransitions strategy preferredHolder"
    ),
    "core.v1.AppArmorProfile": "localhostProfile",
    "core.v1.AzureDiskVolumeSource": "cachingMode fsType readOnly kind",
    "core.v1.AzureFilePersistentVolumeSource": "secretNamespace",
    "core.v1.CSIVolumeSource": "readOnly fsType",
    "core.v1.ClientIPConfig": "timeoutSeconds",
    "core.v1.ClusterTrustBundleProjection": "name signerName optional",
    "core.v1.ConfigMap": "immutable",
    "core.v1.ConfigMapEnvSource": "optional",
    "core.v1.ConfigMapKeySelector": "optional",
    "core.v1.ConfigMapProjection": "optional",
    "core.v1.ConfigMapVolumeSource": "defaultMode optional",
    "core.v1.Container": "restartPolicy",
    "core.v1.ContainerStatus": "started stopSignal",
    "core.v1.DownwardAPIVolumeFile": "mode",
    "core.v1.DownwardAPIVolumeSource": "defaultMode",
    "core.v1.EndpointAddress": "nodeName",
    "core.v1.EndpointPort": "appProtocol",
    "core.v1.FCVolumeSource": "lun",
    "core.v1.FileKeySelector": "optional",
    "core.v1.GRPCAction": "service",
    "core.v1.GlusterfsPersistentVolumeSource": "endpointsNamespace",
    "core.v1.HostPathVolumeSource": "type",
    "core.v1.ISCSIPersistentVolumeSource": "initiatorName",
    "core.v1.ISCSIVolumeSource": "initiatorName",
    "core.v1.KeyToPath": "mode",
    "core.v1.Lifecycle": "stopSignal",
    "core.v1.LoadBalancerIngress": "ipMode",
    "core.v1.LocalVolumeSource": "fsType",
    "core.v1.NodeFeatures": "supplementalGroupsPolicy",
    "core.v1.NodeRuntimeHandlerFeatures": "recursiveReadOnlyMounts userNamespaces",
    "core.v1.NodeSwapStatus": "capacity",
    "core.v1.PersistentVolumeClaimSpec": "storageClassName volumeMode volumeAttributesClassName",
    "core.v1.PersistentVolumeClaimStatus": "currentVolumeAttributesClassName",
    "core.v1.PersistentVolumeSpec": "volumeMode volumeAttributesClassName",
    "core.v1.PodCertificateProjection": "maxExpirationSeconds",
    "core.v1.PodDNSConfigOption": "value",
    "core.v1.PodResourceClaim": "resourceClaimName resourceClaimTemplateName",
    "core.v1.PodResourceClaimStatus": "resourceClaimName",
    "core.v1.PodSchedulingGroup": "podGroupName",
    "core.v1.PodSecurityContext": (
        "runAsUser runAsGroup runAsNonRoot supplementalGroupsPolicy fsGroup fsGroupChangePolicy "
        "seLinuxChangePolicy"
    ),
    "core.v1.PodSpec": (
        "terminationGracePeriodSeconds activeDeadlineSeconds automountServiceAccountToken "
        "shareProcessNamespace priority runtimeClassName enableServiceLinks preemptionPolicy "
        "setHostnameAsFQDN hostUsers hostnameOverride"
    ),
    "core.v1.PortStatus": "error",
    "core.v1.Probe": "terminationGracePeriodSeconds",
    "core.v1.ProjectedVolumeSource": "defaultMode",
    "core.v1.ReplicationControllerSpec": "replicas",
    "core.v1.ResourceHealth": "message",
    "core.v1.SeccompProfile": "localhostProfile",
    "core.v1.Secret": "immutable",
    "core.v1.SecretEnvSource": "optional",
    "core.v1.SecretKeySelector": "optional",
    "core.v1.SecretProjection": "optional",
    "core.v1.SecretVolumeSource": "defaultMode optional",
    "core.v1.SecurityContext": (
        "privileged runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem "
        "allowPrivilegeEscalation procMount"
    ),
    "core.v1.ServiceAccount": "automountServiceAccountToken",
    "core.v1.ServiceAccountTokenProjection": "expirationSeconds",
    "core.v1.ServicePort": "appProtocol",
    "core.v1.ServiceSpec": (
        "ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy "
        "trafficDistribution"
    ),
    "core.v1.Toleration": "tolerationSeconds",
    "core.v1.TopologySpreadConstraint": "minDomains nodeAffinityPolicy nodeTaintsPolicy",
    "core.v1.TypedLocalObjectReference": "apiGroup",
    "core.v1.TypedObjectReference": "apiGroup namespace",
    "core.v1.VolumeMount": "recursiveReadOnly mountPropagation",
    "core.v1.VolumeMountStatus": "recursiveReadOnly",
    "core.v1.WindowsSecurityContextOptions": (
        "gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess"
    ),
    "discovery.v1.Endpoint": "hostname nodeName zone",
    "discovery.v1.EndpointConditions": "ready serving terminating",
    "discovery.v1.EndpointPort": "name protocol port appProtocol",
    "networking.v1.HTTPIngressPath": "pathType",
    "networking.v1.IngressClassParametersReference": "apiGroup scope namespace",
    "networking.v1.IngressPortStatus": "error",
    "networking.v1.IngressSpec": "ingressClassName",
    "networking.v1.NetworkPolicyPort": "protocol endPort",
    "policy.v1.PodDisruptionBudgetSpec": "unhealthyPodEvictionPolicy",
    "scheduling.v1.PriorityClass": "preemptionPolicy",
    "storage.v1.CSIDriverSpec": (
        "attachRequired podInfoOnMount storageCapacity fsGroupPolicy requiresRepublish "
        "seLinuxMount nodeAllocatableUpdatePeriodSeconds serviceAccountTokenInSecrets "
        "preventPodSchedulingIfMissing"
    ),
    "storage.v1.StorageClass": "reclaimPolicy allowVolumeExpansion volumeBindingMode",
    "storage.v1.TokenRequest": "expirationSeconds",
    "storage.v1.VolumeAttachmentSource": "persistentVolumeName",
    "storage.v1.VolumeError": "errorCode",
    "storage.v1.VolumeNodeResources": "count",
}

# Fields that are not required and always there (no omitempty, or a struct that is no pointer).
ALWAYS: Final = {
    "apiextensions.v1.CustomResourceDefinitionStatus": "conditions acceptedNames storedVersions",
    "apps.v1.ControllerRevision": "data",
    "apps.v1.DaemonSetCondition": "lastTransitionTime",
    "apps.v1.DaemonSetSpec": "updateStrategy",
    "apps.v1.DeploymentCondition": "lastUpdateTime lastTransitionTime",
    "apps.v1.DeploymentSpec": "strategy",
    "apps.v1.ReplicaSetCondition": "lastTransitionTime",
    "apps.v1.ReplicaSetSpec": "template",
    "apps.v1.StatefulSetCondition": "lastTransitionTime",
    "apps.v1.StatefulSetOrdinals": "start",
    "apps.v1.StatefulSetSpec": "serviceName updateStrategy",
    "apps.v1.StatefulSetStatus": "availableReplicas",
    "authentication.v1.SelfSubjectReviewStatus": "userInfo",
    "authentication.v1.TokenRequestSpec": "audiences",
    "authentication.v1.TokenRequestStatus": "token expirationTimestamp",
    "authentication.v1.TokenReviewStatus": "user",
    "autoscaling.v2.HorizontalPodAutoscalerCondition": "lastTransitionTime",
    "autoscaling.v2.HorizontalPodAutoscalerStatus": "currentMetrics",
    "batch.v1.JobCondition": "lastProbeTime lastTransitionTime",
    "batch.v1.JobTemplateSpec": "spec",
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": "status",
    "certificates.v1.CertificateSigningRequestCondition": "lastUpdateTime lastTransitionTime",
    "core.v1.Container": "resources",
    "core.v1.ContainerImage": "names",
    "core.v1.ContainerStateRunning": "startedAt",
    "core.v1.ContainerStateTerminated": "startedAt finishedAt",
    "core.v1.ContainerStatus": "state lastState",
    "core.v1.Event": "source firstTimestamp lastTimestamp eventTime reportingComponent reportingInstance",
    "core.v1.EventSeries": "lastObservedTime",
    "core.v1.NamespaceCondition": "lastTransitionTime",
    "core.v1.NodeCondition": "lastHeartbeatTime lastTransitionTime",
    "core.v1.NodeDaemonEndpoints": "kubeletEndpoint",
    "core.v1.NodeRuntimeHandler": "name",
    "core.v1.NodeStatus": "daemonEndpoints nodeInfo",
    "core.v1.PersistentVolumeClaimCondition": "lastProbeTime lastTransitionTime",
    "core.v1.PersistentVolumeClaimSpec": "resources",
    "core.v1.PodCondition": "lastProbeTime lastTransitionTime",
    "core.v1.PodTemplate": "template",
    "core.v1.PodTemplateSpec": "spec",
    "core.v1.ProjectedVolumeSource": "sources",
    "core.v1.ReplicationControllerCondition": "lastTransitionTime",
    "core.v1.ResourceFieldSelector": "divisor",
    "core.v1.ServiceStatus": "loadBalancer",
    "discovery.v1.Endpoint": "conditions",
    "discovery.v1.EndpointSlice": "endpoints ports",
    "events.v1.Event": "regarding deprecatedSource deprecatedFirstTimestamp deprecatedLastTimestamp",
    "networking.v1.IngressServiceBackend": "port",
    "networking.v1.IngressStatus": "loadBalancer",
    "networking.v1.NetworkPolicySpec": "podSelector",
    "policy.v1.PodDisruptionBudgetStatus": "disruptionsAllowed currentHealthy desiredHealthy expectedPods",
    "rbac.v1.ClusterRole": "rules",
    "rbac.v1.Role": "rules",
    "rbac.v1.RoleRef": "apiGroup",
    "scheduling.v1.PriorityClass": "value",
    "storage.v1.CSINodeDriver": "topologyKeys",
    "storage.v1.VolumeError": "time",
}

# Fields that the schema calls required and that are absent all the same when nobody set them.
ABSENT: Final = {
    "apiextensions.v1.WebhookConversion": "conversionReviewVersions",
    "admissionregistration.v1.MutatingWebhook": "sideEffects",
    "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": "policyName validationActions",
    "admissionregistration.v1.ValidatingWebhook": "sideEffects",
    "apps.v1.DaemonSetSpec": "selector",
    "apps.v1.DeploymentSpec": "selector",
    "apps.v1.ReplicaSetSpec": "selector",
    "apps.v1.StatefulSetSpec": "selector",
    "authentication.v1.TokenReviewSpec": "token",
    "core.v1.ContainerRestartRule": "action",
    "core.v1.ContainerRestartRuleOnExitCodes": "operator",
    "core.v1.ImageVolumeStatus": "imageRef",
    "core.v1.PodCertificateProjection": "signerName keyType",
    "core.v1.ScaleIOPersistentVolumeSource": "secretRef",
    "core.v1.ScaleIOVolumeSource": "secretRef",
    "networking.v1.HTTPIngressPath": "pathType",
    "networking.v1.IPAddressSpec": "parentRef",
    "networking.v1.ParentReference": "resource name",
}
