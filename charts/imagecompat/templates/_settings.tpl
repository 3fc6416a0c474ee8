{{/* The settings file: the sections of the values, and what the chart itself decides. */}}

{{- define "imagecompat.layoutRoot" -}}/var/lib/imagecompat/layouts{{- end -}}

{{/* All settings as JSON: section -> name -> value. */}}
{{- define "imagecompat.settingsMap" -}}
{{- $name := include "imagecompat.fullname" . -}}
{{- $server := merge (dict
      "validateTimeoutSeconds" .Values.webhook.timeoutSeconds
      "mutateTimeoutSeconds" .Values.webhook.annotateTimeoutSeconds
    ) .Values.server -}}
{{- $certificates := merge (dict
      "mode" "self"
      "namespace" .Release.Namespace
      "secret" (include "imagecompat.tlsSecret" .)
      "service" $name
      "validatingConfiguration" $name
      "mutatingConfiguration" (ternary $name "" .Values.policy.annotate)
    ) .Values.certificates -}}
{{- if ne .Values.tls.mode "self" -}}
{{- $certificates = dict "mode" "files" -}}
{{- $_ := set $server "certificate" "/etc/imagecompat-tls/tls.crt" -}}
{{- $_ := set $server "privateKey" "/etc/imagecompat-tls/tls.key" -}}
{{- end -}}
{{- $registry := merge (dict) .Values.registry -}}
{{- if .Values.dockerConfigSecret -}}
{{- $_ := set $registry "dockerConfig" "/etc/imagecompat-docker/config.json" -}}
{{- end -}}
{{- if include "imagecompat.hasSelftest" . -}}
{{- $_ := set $registry "layoutRoot" (include "imagecompat.layoutRoot" .) -}}
{{- end -}}
{{- dict "server" $server "certificates" $certificates "cluster" .Values.cluster "registry" $registry "policy" .Values.policy | toJson -}}
{{- end -}}

{{/* The file. Values are JSON, which is YAML: a number stays as it was written. */}}
{{- define "imagecompat.settings" -}}
{{- $settings := include "imagecompat.settingsMap" . | fromJson -}}
{{- range $section := list "policy" "cluster" "registry" "server" "certificates" }}
{{- $section }}:
{{- range $key, $value := index $settings $section }}
{{- if kindIs "map" $value }}
{{- /* Helm 4 leaves out what is null in a mapping, and Helm 3 does not. */ -}}
{{- range $inner, $said := $value }}
{{- $value = omit $value (ternary $inner "" (kindIs "invalid" $said)) }}
{{- end }}
{{- end }}
{{- if not (kindIs "invalid" $value) }}
  {{ $key }}: {{ toJson $value }}
{{- end }}
{{- end }}
{{ end -}}
{{- end -}}

{{/* What a running process does not take over from a changed file: a hash of it rolls
     the Pods, and everything else does not. */}}
{{- define "imagecompat.restartChecksum" -}}
{{- $settings := include "imagecompat.settingsMap" . | fromJson -}}
{{- $server := omit $settings.server "maxReviews" -}}
{{- $cluster := omit $settings.cluster "schedulers" "nodesIgnore" "transientTaints" -}}
{{- list $server $settings.certificates $cluster | toJson | sha256sum -}}
{{- end -}}
