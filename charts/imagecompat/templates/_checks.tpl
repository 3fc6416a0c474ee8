{{/* What cannot be installed, each with the way out. */}}
{{- define "imagecompat.checks" -}}
{{- if has .Release.Namespace (list "kube-system" "kube-node-lease" "kube-public") -}}
{{- fail (printf "imagecompat does not go into the namespace %s: our own namespace is exempt from the webhook. Use another one: --namespace imagecompat --create-namespace" .Release.Namespace) -}}
{{- end -}}
{{- if and (eq .Values.webhook.failurePolicy "Fail") (lt (include "imagecompat.replicas" . | int) 2) (not .Values.webhook.acceptOutages) -}}
{{- fail "webhook.failurePolicy is Fail with fewer than 2 replicas: each restart of the one would refuse Pods. Set replicaCount (or autoscaling.minReplicas) to 2 or more, or webhook.acceptOutages to true" -}}
{{- end -}}
{{- if eq (int .Values.server.port) (int .Values.server.statusPort) -}}
{{- fail (printf "server.port and server.statusPort are both %d: they are two servers" (int .Values.server.port)) -}}
{{- end -}}
{{- range $name := .Values.registry.pullSecrets.names -}}
{{- if not (regexMatch "^[^/*]+/[^/*]+$" $name) -}}
{{- fail (printf "registry.pullSecrets.names: %s: expected NAMESPACE/NAME" $name) -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.tls.mode "existingSecret" -}}
{{- if not .Values.tls.existingSecret -}}
{{- fail "tls.mode is existingSecret: tls.existingSecret has to name the Secret" -}}
{{- end -}}
{{- if not .Values.tls.caBundle -}}
{{- fail "tls.mode is existingSecret: tls.caBundle has to hold the authority's PEM, or the API server trusts nobody" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.policies.self (ne .Values.tls.mode "self") -}}
{{- fail (printf "policies.self is about tls.mode self: with %s our ServiceAccount may change no webhook configuration anyway" .Values.tls.mode) -}}
{{- end -}}
{{- end -}}
