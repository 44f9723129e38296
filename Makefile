# Everything one does here. `make help` lists it.

# How many times `make kill-test` kills the server, on each database.
ROUNDS ?= 200
# How many events `make fault-test` has delivered.
EVENTS ?= 50000
# How long one flush takes under `make bench-slow-disk`, in microseconds.
FLUSH_DELAY_US ?= 1000
# How many seconds `make fuzz` gives each target.
FUZZ_SECONDS ?= 180
# Which benches; `make bench BENCH="--bench doors"` runs one.
BENCH ?= --benches

.PHONY: help run test lint fmt docs openapi gallery bench bench-slow-disk kill-test fault-test fuzz
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start a sandbox server (release build)
	cargo run --release

test: ## install what the tests need and is missing, then run all of them
	@scripts/install-test-tools
	cargo test --no-fail-fast

lint: ## format, clippy, unused dependencies: warnings are errors
	cargo fmt --all --check
	cargo clippy --all-targets -- -D warnings
	scripts/unused-dependencies

fmt: ## format the code
	cargo fmt --all

# Private items are documented too, for those who work here, so links to them are welcome.
docs: ## build the code's documentation: warnings are errors
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --no-deps --document-private-items

# The first run writes what was old, and fails; the second is built with the new text, and must pass.
openapi: ## write the API document anew from the handlers
	cargo test --quiet --lib router::document || cargo test --quiet --lib router::document

gallery: ## a picture of every page of the portal, into target/gallery
	@scripts/install-test-tools
	COUNTERFOIL_GALLERY="$(CURDIR)/target/gallery" cargo test --test it portal::browser::tour
	@echo "The pictures are in target/gallery."

bench: ## the benches, on the disk as it is
	@scripts/install-test-tools
	cargo bench $(BENCH)

# Only the bench's own process (and the database server that it starts) gets the slow flush, not
# cargo and the compiler: hence a runner. Linux only, because it needs LD_PRELOAD.
bench-slow-disk: target/slow_flush.so ## the benches, with a flush that takes 1 ms
	@scripts/install-test-tools
	COUNTERFOIL_FLUSH_DELAY_US=$(FLUSH_DELAY_US) cargo \
		--config 'target."cfg(unix)".runner = ["env", "LD_PRELOAD=$(CURDIR)/target/slow_flush.so"]' \
		bench $(BENCH)

target/slow_flush.so: benches/support/slow_flush.c
	@mkdir -p target
	cc -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $< -ldl

kill-test: ## kill -9 the server under load, 200 times on each database, and count what it kept
	@scripts/install-test-tools
	COUNTERFOIL_KILL_ROUNDS=$(ROUNDS) cargo test --test it kill:: -- --nocapture

# Nothing here is unsafe, so no sanitizer is needed; a panic or a failed assertion is the finding.
fuzz: ## the fuzz targets, some minutes each (needs the nightly compiler and cargo-fuzz)
	cp Cargo.lock fuzz/Cargo.lock
	for target in proof basic form jwk htu; do \
		mkdir -p fuzz/corpus/$$target && \
		cargo +nightly fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_len=8192 -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

fault-test: ## deliver 50,000 events to receivers that do everything wrong, killing servers meanwhile
	@scripts/install-test-tools
	COUNTERFOIL_FAULT_EVENTS=$(EVENTS) cargo test --test it kill::webhooks -- --nocapture
