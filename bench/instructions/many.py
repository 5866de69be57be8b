"""Writes resources of many APIs, each with an HTTPRoute of one rule and a Backend of its own.

usage: many.py FOLDER APIS BACKENDS

The APIs come before the chat's own, by name and by the length of their base paths; a third of the
rules each are exact, prefixes and expressions; each Backend's key is in a header of its own.
"""
import os
import sys

API = """---
apiVersion: dp.wso2.com/v1alpha3
kind: API
metadata: {{name: many-{0:05}}}
spec:
  apiName: many-{0:05}
  apiType: REST
  apiVersion: "1.0"
  basePath: /many-{0:05}/1.0
  organization: default
  production: [{{routeRefs: [many-{0:05}]}}]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {{name: many-{0:05}}}
spec:
  rules:
    - matches: [{{path: {{type: {2}, value: "{3}"}}, method: POST}}]
      backendRefs: [{{group: dp.wso2.com, kind: Backend, name: many-{1:05}}}]
  parentRefs:
    - {{group: gateway.networking.k8s.io, kind: Gateway, name: wso2-apk-default}}
"""
BACKEND = """---
apiVersion: dp.wso2.com/v1alpha2
kind: Backend
metadata: {{name: many-{0:05}}}
spec:
  services: [{{host: 127.0.0.1, port: 9}}]
  basePath: /v1
  protocol: http
  security: {{apiKey: {{in: Header, name: x-key-{0:05}, valueFrom: {{name: many, valueKey: k}}}}}}
"""
SECRET = """---
apiVersion: v1
kind: Secret
metadata: {name: many}
type: Opaque
stringData: {k: sk-bench}
"""
KINDS = (
    ("Exact", "/chat/completions"),
    ("PathPrefix", "/chat"),
    ("RegularExpression", "/models/[^/]+/chat"),
)

folder, apis, backends = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(os.path.join(folder, "many.yaml"), "w", encoding="utf-8") as out:
    out.write(SECRET)
    for i in range(backends):
        out.write(BACKEND.format(i))
    for i in range(apis):
        out.write(API.format(i, i % backends, *KINDS[i % 3]))
