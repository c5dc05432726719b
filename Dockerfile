FROM golang:1.26 AS build
ARG VERSION=dev
# The Go that go.mod names, where the image has an older one.
ENV GOTOOLCHAIN=auto
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN scripts/build /statuspage "$VERSION" \
 && mkdir -p /empty/data

# Nothing but the binary, the certificates that it trusts, and a folder to write to: no shell, no root.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /statuspage /statuspage
COPY --from=build --chown=65532:65532 /empty/data /data
COPY statuspage.yaml /statuspage.yaml
WORKDIR /
USER 65532:65532
ENV STATUSPAGE_CONFIG=/statuspage.yaml STATUSPAGE_LISTEN=0.0.0.0:8000
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/statuspage", "healthcheck"]
ENTRYPOINT ["/statuspage"]
CMD ["serve"]
