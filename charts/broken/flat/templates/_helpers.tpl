{{- define "flat.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
team: {{ .Values.team }}
{{- end -}}
