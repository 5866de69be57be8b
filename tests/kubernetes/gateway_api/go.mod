// A module of its own, outside the gateway's build: whose definitions of HTTPRoute tests/kubernetes
// give to the API server.
module rotary.dev/tests/kubernetes/gateway_api

go 1.24.0

require sigs.k8s.io/gateway-api v1.4.1
