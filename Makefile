.DEFAULT_GOAL := help
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo dev)
BIN := bin/statuspage
GO ?= go
LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help build size deadcode run demo run-questdb test check race chaos fuzz schemathesis bench bench-peers bench-go generate verify lint vuln fmt compose image clean

help: ## What there is
	@awk 'BEGIN{FS=":.*## "} /^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/statuspage
	GO="$(GO)" scripts/build $(BIN) "$(VERSION)"

size: build ## The binary is smaller than 32 MiB
	scripts/size $(BIN)

deadcode: ## Nothing keeps the linker from leaving unused methods out
	GO="$(GO)" scripts/deadcode

run: build ## Serve on http://127.0.0.1:8000; URL="https://a https://b" watches those
	./$(BIN) serve $(URL)

demo: build ## Serve sample targets that are checked every two seconds
	./$(BIN) demo

run-questdb: build ## Serve on a real QuestDB, started here and stopped with the page
	scripts/run-questdb ./$(BIN) $(URL)

test: ## All tests: unit, contract on SQLite and a real QuestDB, end to end, browser
	scripts/test

check: verify lint size deadcode test ## What CI runs

race: ## The quick packages under the race detector
	$(GO) test -race ./internal/... ./views/... ./handlers/... ./monitor/... ./static/...

chaos: ## Every fault of docs/faults.md in its long form, about an hour; CHAOS_SEED=N repeats one
	CHAOS=full $(GO) test -count=1 -timeout 3h -v ./e2e/chaos

fuzz: ## Each fuzzer for half a minute
	scripts/fuzz 30s

schemathesis: ## Ask a real server everything that /openapi.json allows; wants Python and PyPI
	scripts/schemathesis

bench: ## Measure everything and write docs/benchmarks.md; ONLY=http,viewers measures these sections
	scripts/bench -only "$(ONLY)"

bench-peers: ## The same of other status pages that a package registry has; installs them into bin/peers
	scripts/bench-peers

bench-go: ## Go benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem ./internal/... ./views/... ./handlers/... ./monitor/...

generate: ## Make the templ components anew, and pack the files for browsers
	$(GO) tool templ generate
	$(GO) run ./static/minify
	$(GO) run ./static/pack

verify: ## Generated code is fresh, modules are tidy
	scripts/verify

lint: ## go vet and golangci-lint with .golangci.yml; the first run builds it
	$(GO) vet ./...
	$(GO) run $(LINT) run ./...

vuln: ## Known vulnerabilities in the code that we call; wants the network
	scripts/vuln

fmt: ## Format everything
	$(GO) run $(LINT) fmt ./...
	$(GO) tool templ fmt views

compose: ## QuestDB and the page in containers
	docker compose up --build

image: ## Container image
	docker build -t statuspage:$(VERSION) --build-arg VERSION=$(VERSION) .

clean: ## Remove what was built
	rm -rf bin
