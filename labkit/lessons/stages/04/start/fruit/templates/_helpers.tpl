{{/* The labels of every object of a release. */}}
{{- define "fruit.labels" -}}
app: {{ .Release.Name }}
chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
