# Sluice in an image of its own: the binary, the libraries it needs and the certificate authorities, and nothing else.
#
#   docker build -t sluice .
#   docker run --rm -p 127.0.0.1:4010:4010 -e OPENAI_API_KEY sluice --listen 0.0.0.0:4010 --trust-everyone
#
# Without an argument it listens on 127.0.0.1 inside the container: right for a sidecar, which shares the network of the
# application. Whoever wants more says so, and who may come in: everyone, or those whom a configuration's `access` names.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libnghttp2-dev libssl-dev libhiredis-dev libsqlite3-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN swift build --configuration release --static-swift-stdlib --product sluice -Xlinker --strip-all

# The root of the image: the program, and each library under the path at which the loader looks for it.
RUN set -eu; \
    root=/image; \
    install -D "$(swift build --configuration release --show-bin-path)/sluice" "$root/usr/bin/sluice"; \
    ldd "$root/usr/bin/sluice" | awk '/\//{print $(NF-1)}' | while read -r library; do \
        install -D "$library" "$root$library"; \
    done; \
    install -D --mode 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"; \
    echo 'sluice:x:65532:65532:sluice:/:/sbin/nologin' > "$root/etc/passwd"; \
    echo 'sluice:x:65532:' > "$root/etc/group"; \
    echo 'hosts: files dns' > "$root/etc/nsswitch.conf"

FROM scratch
LABEL org.opencontainers.image.title="Sluice" \
    org.opencontainers.image.description="A sidecar and edge proxy for AI traffic"
COPY --from=build /image /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
# 4010: applications; 4011: health. No HEALTHCHECK: there is no shell and no curl here, and an orchestrator asks
# /livez and /readyz itself, on the admin port.
EXPOSE 4010 4011
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/sluice"]
