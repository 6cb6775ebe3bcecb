{{- define "jobwatch.name" -}}
{{- printf "%s" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "jobwatch.selector" -}}
app.kubernetes.io/name: jobwatch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "jobwatch.labels" -}}
{{ include "jobwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
