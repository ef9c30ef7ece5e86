{{/* A ConfigMap. A template gets one argument only, so this one takes a map: top (the dot), name, data. */}}
{{- define "common.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "common.fullname" .top }}-{{ .name }}
  labels:
    {{- include "common.labels" .top | nindent 4 }}
data:
  {{- range $key, $value := .data }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- end -}}
