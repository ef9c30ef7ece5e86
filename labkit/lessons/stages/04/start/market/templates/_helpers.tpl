{{/* The labels by which Services find the Pods of this release. */}}
{{- define "market.labels" -}}
app: market
release: {{ .Release.Name }}
{{- end -}}
