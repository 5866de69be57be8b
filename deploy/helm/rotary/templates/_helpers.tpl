{{- define "rotary.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "rotary.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "rotary.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "rotary.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "rotary.selector" -}}
app.kubernetes.io/name: {{ include "rotary.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rotary.labels" -}}
{{ include "rotary.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rotary.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "rotary.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "rotary.adminSecret" -}}
{{- default (printf "%s-admin" (include "rotary.fullname" .)) .Values.admin.existingSecret }}
{{- end }}

{{- define "rotary.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* Milliseconds of a duration as rotary.yaml has it: 2, 0.5, 500ms, 30s, 5m, 1h. */}}
{{- define "rotary.milliseconds" -}}
{{- $text := toString .value }}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?(ms|s|m|h)?$" $text) }}
{{- fail (printf "%s: %s is no duration of which the chart can tell how long it is: say terminationGracePeriodSeconds" .name $text) }}
{{- end }}
{{- $number := regexFind "^[0-9.]+" $text | float64 }}
{{- $unit := regexFind "(ms|s|m|h)$" $text }}
{{- mulf $number (get (dict "ms" 1.0 "" 1000.0 "s" 1000.0 "m" 60000.0 "h" 3600000.0) $unit) | ceil | int64 }}
{{- end }}

{{/* How long a stop may take: the sleep, the drain, and a moment for what the drain's end cuts. */}}
{{- define "rotary.gracePeriod" -}}
{{- $timeouts := .Values.config.timeouts | default dict }}
{{- $drain := hasKey $timeouts "drain" | ternary (get $timeouts "drain") "30s" }}
{{- $shutdown := hasKey $timeouts "shutdown" | ternary (get $timeouts "shutdown") "2s" }}
{{- $given := .Values.terminationGracePeriodSeconds }}
{{- if kindIs "invalid" $given }}
{{- $drain = include "rotary.milliseconds" (dict "name" "config.timeouts.drain" "value" $drain) | int64 }}
{{- $shutdown = include "rotary.milliseconds" (dict "name" "config.timeouts.shutdown" "value" $shutdown) | int64 }}
{{- div (add (mul .Values.preStopSeconds 1000) $drain (mul 2 $shutdown) 5999) 1000 }}
{{- else }}
{{- if not (hasPrefix "${" (toString $drain)) }}
{{- $drain = include "rotary.milliseconds" (dict "name" "config.timeouts.drain" "value" $drain) | int64 }}
{{- $stop := add (mul .Values.preStopSeconds 1000) $drain }}
{{- if le (mul (int64 $given) 1000) $stop }}
{{- fail (printf "terminationGracePeriodSeconds: %v must be more than preStopSeconds (%v) and config.timeouts.drain (%v ms) together, or the kubelet cuts requests that would have been finished" $given .Values.preStopSeconds $drain) }}
{{- end }}
{{- end }}
{{- int64 $given }}
{{- end }}
{{- end }}

{{/* What the chart can't keep its word on is refused, with what to do about it. */}}
{{- define "rotary.refusals" -}}
{{- $instead := dict "listeners" "address, service and tls" "admin" "admin" "resources" "resourceFiles" "kubernetes" "kubernetes" "state" "redis" }}
{{- range $key, $values := $instead }}
{{- if hasKey $.Values.config $key }}
{{- fail (printf "config.%s: the chart writes it, by the values of %s" $key $values) }}
{{- end }}
{{- end }}
{{- if and .Values.kubernetes.enabled .Values.resourceFiles }}
{{- fail "resourceFiles: with kubernetes.enabled the resources come from the API server; apply them there, or switch one of the two off" }}
{{- end }}
{{- range list "providers" "apis" }}
{{- if and $.Values.kubernetes.enabled (hasKey $.Values.config .) }}
{{- fail (printf "config.%s: with kubernetes.enabled the resources come from the API server; apply them there, or switch one of the two off" .) }}
{{- end }}
{{- end }}
{{- if and (has "*" .Values.kubernetes.namespaces) (gt (len .Values.kubernetes.namespaces) 1) }}
{{- fail "kubernetes.namespaces: \"*\" is all of them: name it alone" }}
{{- end }}
{{- if and .Values.tls.enabled (not .Values.tls.secretName) }}
{{- fail "tls.secretName: it must name a Secret of type kubernetes.io/tls; `tls.enabled: false` is the only way to serve without" }}
{{- end }}
{{- with .Values.redis }}
{{- if .enabled }}
{{- if not .url }}{{ fail "redis.url: required with redis.enabled: rediss://user@host:6379/0" }}{{ end }}
{{- if and (or .passwordKey .caKey) (not .existingSecret) }}
{{- fail "redis.existingSecret: redis.passwordKey and redis.caKey are entries of a Secret, which must be named" }}
{{- end }}
{{- if and .existingSecret (not .passwordKey) (not .caKey) }}
{{- fail "redis.passwordKey: which entry of redis.existingSecret is the password? (or redis.caKey for the authority)" }}
{{- end }}
{{- if and (contains "@" .url) (not .passwordKey) }}
{{- fail "redis.passwordKey: redis.url has a user, whose password an entry of redis.existingSecret must be" }}
{{- end }}
{{- if ne (empty .sentinels) (empty .masterName) }}
{{- fail "redis.masterName: sentinels are asked for a master by its name; give both or none" }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if not (or .requestsInFlight .cpuPercent) }}
{{- fail "autoscaling: neither requestsInFlight nor cpuPercent is said, so there is nothing to go by" }}
{{- end }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas: %v is more than maxReplicas, %v" .minReplicas .maxReplicas) }}
{{- end }}
{{- if and .cpuPercent (not (dig "requests" "cpu" "" $.Values.resources)) }}
{{- fail "autoscaling.cpuPercent: it is a part of resources.requests.cpu, which is not said" }}
{{- end }}
{{- end }}
{{- end }}
{{- $ledger := dig "budgets" "ledger" "" .Values.config }}
{{- if $ledger }}
{{- $ok := false }}
{{- range .Values.extraVolumeMounts }}
{{- if and (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $ledger) (not .readOnly) }}{{ $ok = true }}{{ end }}
{{- end }}
{{- if not $ok }}
{{- fail (printf "config.budgets.ledger: %s is on the image's root, which is read-only: mount a volume there by extraVolumes and extraVolumeMounts" $ledger) }}
{{- end }}
{{- end }}
{{- end }}

{{/* rotary.yaml. Paths are relative to /etc/rotary/config. */}}
{{- define "rotary.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $listener := dict "address" .Values.address "port" 9095 }}
{{- if .Values.tls.enabled }}
{{- $_ := set $listener "tls" (dict "certificate" "../tls/tls.crt" "key" "../tls/tls.key") }}
{{- else }}
{{- $_ := set $listener "plaintext" true }}
{{- end }}
{{- $_ := set $config "listeners" (list $listener) }}
{{- $_ := set $config "admin" (dict "address" .Values.address "port" (int .Values.admin.port) "token_file" (printf "../admin/%s" .Values.admin.secretKey)) }}
{{- if .Values.resourceFiles }}
{{- $_ := set $config "resources" (list "../resources/") }}
{{- end }}
{{- with .Values.kubernetes }}
{{- if .enabled }}
{{- $source := dict "namespaces" (.namespaces | default (list $.Release.Namespace)) }}
{{- with .labelSelector }}{{ $_ := set $source "label_selector" . }}{{ end }}
{{- $_ := set $config "kubernetes" $source }}
{{- end }}
{{- end }}
{{- with .Values.redis }}
{{- if .enabled }}
{{- $namespace := printf "%s.%s" $.Release.Namespace $.Release.Name }}
{{- if gt (len $namespace) 64 }}{{ $namespace = sha256sum $namespace }}{{ end }}
{{- $redis := dict "url" .url "namespace" (.namespace | default $namespace) "deadline_ms" (int .deadlineMs) }}
{{- with .passwordKey }}{{ $_ := set $redis "password_file" (printf "../redis/%s" .) }}{{ end }}
{{- with .caKey }}{{ $_ := set $redis "ca" (printf "../redis/%s" .) }}{{ end }}
{{- if .sentinels }}
{{- $_ := set $redis "sentinels" .sentinels }}
{{- $_ := set $redis "master_name" .masterName }}
{{- end }}
{{- $_ := set $config "state" (dict "redis" $redis) }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* What a running process does not take over: pods are replaced when it changes, and only then. */}}
{{- define "rotary.restartSettings" -}}
{{- $config := .Values.config }}
{{- $tls := .Values.tls.enabled | ternary "tls" "plaintext" }}
{{- $source := .Values.kubernetes.enabled | ternary (pick .Values.kubernetes "namespaces" "labelSelector") "files" }}
{{- list (get $config "workers") (dig "budgets" "currency" "" $config) (dig "budgets" "ledger" "" $config) (dig "log" "access_file" "" $config) .Values.address .Values.admin.port $tls $source | toJson | sha256sum }}
{{- end }}

{{/* Of the cluster's roles no other release may have it: with the namespace. */}}
{{- define "rotary.roleName" -}}
{{- if has "*" .Values.kubernetes.namespaces }}{{ .Release.Namespace }}-{{ end }}{{ include "rotary.fullname" . }}
{{- end }}

{{/* What the source from the API server may do: read the kinds that it serves, tell of them. */}}
{{- define "rotary.rules" -}}
- apiGroups: [dp.wso2.com]
  resources: [apis, backends, aiproviders, apipolicies, tokenissuers, authentications, scopes, ratelimitpolicies, airatelimitpolicies]
  verbs: [get, list, watch]
- apiGroups: [cp.wso2.com]
  resources: [subscriptions, applications, applicationmappings]
  verbs: [get, list, watch]
- apiGroups: [rotary.dev]
  resources: [consumerkeys, budgets]
  verbs: [get, list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.kubernetes.secretNames }}
  resourceNames: {{- toYaml . | nindent 4 }}
  {{- end }}
  verbs: [get, list, watch]
{{- if .Values.kubernetes.writeStatus }}
- apiGroups: [dp.wso2.com]
  resources: [apis/status]
  verbs: [patch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
{{- end }}
