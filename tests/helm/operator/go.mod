// The Prometheus Operator's definitions of its kinds, which lie in its module; nothing of it is built.
module rotary.dev/tests/helm/operator

go 1.24.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
