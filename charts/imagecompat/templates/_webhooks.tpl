{{/* What the entries of both webhook configurations share. */}}

{{/* Only image changes reach us. Each list may be absent, and at the mutating phase an
     image too: the API server has not validated the Pod then. */}}
{{- define "imagecompat.podImageChange" -}}
request.operation == 'CREATE' ||
{{- range $index, $list := list "containers" "initContainers" "ephemeralContainers" }}
{{- if $index }} ||{{ end }}
(has(object.spec.{{ $list }}) ? object.spec.{{ $list }}.map(c, has(c.image) ? c.image : '') : []) != (has(oldObject.spec.{{ $list }}) ? oldObject.spec.{{ $list }}.map(c, has(c.image) ? c.image : '') : [])
{{- end }}
{{- end -}}

{{/* Address and trust. `caBundle` stays out where the Pods, or cert-manager, write it:
     a chart that sets it would take it back with every upgrade. */}}
{{- define "imagecompat.clientConfig" -}}
{{- $root := index . 0 -}}
{{- $path := index . 1 -}}
service:
  name: {{ include "imagecompat.fullname" $root }}
  namespace: {{ $root.Release.Namespace }}
  path: {{ $path }}
  port: 443
{{- if eq $root.Values.tls.mode "existingSecret" }}
caBundle: {{ $root.Values.tls.caBundle | b64enc }}
{{- end }}
{{- end -}}

{{/* Values add conditions here; none can take one of ours away. */}}
{{- define "imagecompat.namespaceSelector" -}}
matchExpressions:
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ include "imagecompat.exemptNamespaces" . }}
{{- with .Values.webhook.namespaceSelector.matchExpressions }}
{{ toYaml . }}
{{- end }}
{{- with .Values.webhook.namespaceSelector.matchLabels }}
matchLabels:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The end of every entry. */}}
{{- define "imagecompat.webhookCommon" -}}
admissionReviewVersions: [v1]
sideEffects: NoneOnDryRun
matchPolicy: Equivalent
namespaceSelector:
  {{- include "imagecompat.namespaceSelector" . | nindent 2 }}
{{- with .Values.webhook.objectSelector }}
objectSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Annotations of both configurations. */}}
{{- define "imagecompat.webhookAnnotations" -}}
{{- $annotations := deepCopy (.Values.webhook.annotations | default dict) -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- $_ := set $annotations "cert-manager.io/inject-ca-from" (printf "%s/%s" .Release.Namespace (include "imagecompat.fullname" .)) -}}
{{- end -}}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
