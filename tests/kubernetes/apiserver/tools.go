//go:build tools

// Package apiserver keeps the program that build.sh builds among the module's requirements.
package apiserver

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
