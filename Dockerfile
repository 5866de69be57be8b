# The gateway's image: ./dev image, or docker build -t rotary .
#
#   docker run -p 9095:9095 -e OPENAI_API_KEY -e ROTARY_ISSUER -e ROTARY_JWKS_URL \
#       -v "$PWD/tls:/etc/rotary/tls:ro" rotary:dev
#
# with tls/tls.crt and tls/tls.key; or without TLS, behind something that ends it, by the arguments
# `serve -c /etc/rotary/plaintext.yaml` after the image's name.
#
# The process is user 65532: the key must be readable for it. config/image/ says what else can be set.

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY . .
RUN ./dev build && objcopy --strip-debug build/release/rotary /rotary

FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
        libyaml-cpp0.7 libre2-9 libc-ares2 libsqlite3-0 libssl3 ca-certificates && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /rotary /usr/local/bin/rotary
COPY config/image/ /etc/rotary/
USER 65532:65532
EXPOSE 9095 9901
STOPSIGNAL SIGTERM
ENTRYPOINT ["rotary"]
CMD ["serve", "-c", "/etc/rotary/rotary.yaml"]
