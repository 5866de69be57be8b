# The gateway's image: ./dev image, or docker build -t rotary .
#
#   docker run -p 9095:9095 -e OPENAI_API_KEY -e ROTARY_ISSUER -e ROTARY_JWKS_URL \
#       -v "$PWD/tls:/etc/rotary/tls:ro" --read-only --cap-drop ALL rotary:dev
#
# with tls/tls.crt and tls/tls.key; or without TLS, behind something that ends it, by the arguments
# `serve -c /etc/rotary/plaintext.yaml` after the image's name.
#
# The process is user 65532: the key must be readable for it. config/image/ says what else can be set.
# What is in the image: the binary, the libraries it needs, certificates of authorities, and a
# configuration; no shell, and nothing that the process may write to but /var/lib/rotary.

FROM debian:12-slim AS build
WORKDIR /src
COPY . .
RUN ./dev build && strip -o /rotary build/release/rotary

FROM debian:12-slim AS root
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
        libyaml-cpp0.7 libre2-9 libc-ares2 libsqlite3-0 libhiredis0.14 libssl3 ca-certificates
COPY --from=build /rotary /usr/bin/rotary
COPY deploy/image/make_root.sh deploy/package/NOTICES LICENSE /
RUN ["/make_root.sh", "/image"]
COPY config/image/ /image/etc/rotary/

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Rotary" \
      org.opencontainers.image.description="A reverse proxy for LLM APIs with exact weighted rotation" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="scratch"
COPY --from=root /image/ /
ENV PATH=/usr/bin
USER 65532:65532
EXPOSE 9095 9901
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["/usr/bin/rotary", "healthcheck"]
ENTRYPOINT ["/usr/bin/rotary"]
CMD ["serve", "-c", "/etc/rotary/rotary.yaml"]
