{{/* Names and labels that every object shares. */}}

{{- define "imagecompat.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* One name for every object; the release's own if it says what is installed.
     Short enough for `NAME-exemptions` and the like. */}}
{{- define "imagecompat.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "imagecompat.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What selects our Pods; never changes for a release. */}}
{{- define "imagecompat.selectorLabels" -}}
app.kubernetes.io/name: {{ include "imagecompat.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end -}}

{{/* Labels of every object; ours win over those of the values. */}}
{{- define "imagecompat.labels" -}}
{{- $ours := include "imagecompat.selectorLabels" . | fromYaml -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $ours "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_") -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $ours "app.kubernetes.io/part-of" "imagecompat" -}}
{{- mergeOverwrite (deepCopy (.Values.commonLabels | default dict)) $ours | toYaml -}}
{{- end -}}

{{/* Labels of our Pods: nothing that a new chart alone would change. */}}
{{- define "imagecompat.podLabels" -}}
{{- $ours := include "imagecompat.selectorLabels" . | fromYaml -}}
{{- mergeOverwrite (deepCopy (.Values.commonLabels | default dict)) (deepCopy (.Values.podLabels | default dict)) $ours | toYaml -}}
{{- end -}}

{{/* The Secret with the serving certificate, whoever writes it. */}}
{{- define "imagecompat.tlsSecret" -}}
{{- if eq .Values.tls.mode "existingSecret" -}}
{{- .Values.tls.existingSecret -}}
{{- else -}}
{{- include "imagecompat.fullname" . }}-tls
{{- end -}}
{{- end -}}

{{/* Where pull secrets are read, as far as the chart makes Roles for it: namespace ->
     names of Secrets; none for all of them, and the namespace's ServiceAccounts. */}}
{{- define "imagecompat.pullSecrets" -}}
{{- $found := dict -}}
{{- with .Values.registry.pullSecrets -}}
{{- if eq .read "named" -}}
{{- range $name := .names | uniq | sortAlpha -}}
{{- $parts := splitList "/" $name -}}
{{- $_ := set $found (first $parts) (append (get $found (first $parts) | default list) (last $parts)) -}}
{{- end -}}
{{- else if eq .read "namespaces" -}}
{{- range $namespace := without (.namespaces | default list) "*" -}}
{{- $_ := set $found $namespace list -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* A digest wins over a tag. */}}
{{- define "imagecompat.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The fewest replicas that there may be. */}}
{{- define "imagecompat.replicas" -}}
{{- if .Values.autoscaling.enabled -}}
{{- .Values.autoscaling.minReplicas -}}
{{- else -}}
{{- .Values.replicaCount -}}
{{- end -}}
{{- end -}}

{{/* Namespaces that never reach us. The first four cannot be taken out: a webhook
     that has to admit its own Pods, or those that networking and DNS come from,
     can keep a cluster from starting. */}}
{{- define "imagecompat.exemptNamespaces" -}}
{{- $always := list "kube-system" "kube-node-lease" "kube-public" .Release.Namespace -}}
{{- concat $always (.Values.webhook.exemptNamespaces | default list) | uniq | toJson -}}
{{- end -}}

{{/* Whether there is a test: "true" or empty. It needs a namespace that reaches us, a
     verdict, and a folder of layouts that is ours to fill. */}}
{{- define "imagecompat.hasSelftest" -}}
{{- $exempt := include "imagecompat.exemptNamespaces" . | fromJsonArray -}}
{{- if and .Values.selftest.enabled
           (not .Values.registry.layoutRoot)
           (ne (include "imagecompat.mode" .) "off")
           (not (has .Values.selftest.namespace $exempt)) -}}
true
{{- end -}}
{{- end -}}

{{/* The mode in words: YAML reads a bare `off` as false. */}}
{{- define "imagecompat.mode" -}}
{{- ternary "off" .Values.policy.mode (eq (toString .Values.policy.mode) "false") -}}
{{- end -}}

{{/* The same for `yes` and `no`. */}}
{{- define "imagecompat.nodesMayAppear" -}}
{{- $said := toString .Values.policy.nodesMayAppear -}}
{{- get (dict "true" "yes" "false" "no") $said | default $said -}}
{{- end -}}

{{/* What Pod Security "restricted" asks of a Pod, and of a container. */}}
{{- define "imagecompat.podSecurityContext" -}}
runAsNonRoot: true
{{- if not .Values.openshift }}
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "imagecompat.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Labels of what Prometheus or Grafana choose by label: theirs may be added. */}}
{{- define "imagecompat.monitorLabels" -}}
{{- $root := index . 0 -}}
{{- mergeOverwrite (deepCopy (index . 1 | default dict)) (include "imagecompat.labels" $root | fromYaml) | toYaml -}}
{{- end -}}

{{/* Address ranges; of none, all but link-local ones, where clouds have their metadata. */}}
{{- define "imagecompat.egressTo" -}}
{{- range $cidr := . }}
- ipBlock:
    cidr: {{ $cidr | quote }}
{{- else }}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [169.254.0.0/16]
- ipBlock:
    cidr: "::/0"
    except: ["fe80::/10"]
{{- end }}
{{- end -}}
