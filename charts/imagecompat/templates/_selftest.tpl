{{/* The layout of the self-test's image, which no node fits, from `files/selftest`. */}}

{{/* A key of a ConfigMap holds no `/`. */}}
{{- define "imagecompat.selftestKey" -}}
{{- trimPrefix "files/selftest/" . | replace "/" "." -}}
{{- end -}}

{{/* Where each file stands below the folder of layouts. */}}
{{- define "imagecompat.selftestItems" -}}
{{- range $path, $_ := .Files.Glob "files/selftest/**" }}
- key: {{ include "imagecompat.selftestKey" $path }}
  path: selftest.imagecompat.invalid/unfit/{{ trimPrefix "files/selftest/" $path }}
{{- end }}
{{- end -}}

{{/* Its Pod is none of the webhook's: no Service and no budget selects it. */}}
{{- define "imagecompat.selftestLabels" -}}
{{- mergeOverwrite (include "imagecompat.labels" . | fromYaml) (dict "app.kubernetes.io/component" "selftest") | toYaml -}}
{{- end -}}
