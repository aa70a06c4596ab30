# `make demo` verifies real photos, `make test` passes the tests; each does everything it needs on a
# fresh machine.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
SPECIMEN := build/photos/specimen-obama.png
PORTRAITS := build/photos/obama.jpg build/photos/obama2.jpg build/photos/biden.jpg

.PHONY: demo test setup cross test-cross test-identity test-rust test-python test-ffi test-idp \
	pack photos wheel wheel-cross lint clean bench-peers

demo: wheel photos
	@echo; echo "== The card, read: name, birth date, and how far it is established"
	$(PY) -m vultus document $(SPECIMEN) --annotate build/demo-document.png
	@echo; echo "== The holder, with his card: must be accepted"
	$(PY) -m vultus verify build/photos/obama2.jpg $(SPECIMEN) --annotate build/demo-accept.png
	@echo; echo "== Another person, with the same card: must be rejected"
	$(PY) -m vultus verify build/photos/biden.jpg $(SPECIMEN) \
		--annotate build/demo-reject.png || [ $$? -eq 1 ]
	@echo; echo "== The holder on a simulated screen: matches, and must be rejected as an attack"
	$(PY) -m pip install --quiet numpy
	$(PY) -m vultus attack replay build/photos/obama2.jpg build/demo-spoof.png \
		--seed 4 --set coverage=1.1
	$(PY) -m vultus verify build/demo-spoof.png $(SPECIMEN) \
		--annotate build/demo-spoofed.png || [ $$? -eq 1 ]
	@echo; echo "Look at build/demo-document.png, build/demo-accept.png, build/demo-reject.png"
	@echo "and build/demo-spoofed.png."

test: setup
	$(MAKE) test-rust test-python test-ffi test-idp

# What the tests start and do not build, as Debian's packages.
setup:
	.ci/setup

# Instruction sets without which the tests fail; those that the CPU has besides are tested too.
export VULTUS_REQUIRED_ISA ?= $(if $(filter x86_64,$(shell uname -m)),avx2,neon)

CARGO_TEST := cargo test --release --workspace --exclude vultus-python

# Valgrind knows AVX2: the same binary runs the tests of the kernels, all unsafe code of the engine,
# with every read and write checked.
test-rust: pack photos
	$(CARGO_TEST)
	CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=9" \
		$(CARGO_TEST) --lib kernel::

test-python: wheel photos
	cargo build --release --workspace --exclude vultus-python --example network
	$(PY) -m pip install --quiet --editable "models[test]" pytest pillow numpy mypy av jsonschema
	cd python && ../$(PY) -m pytest -q
	python/tests/everywhere dist/vultus-*.whl
	$(PY) -m pytest -q models/tests
	$(PY) -m mypy.stubtest vultus._vultus

test-ffi: wheel photos
	$(MAKE) -C ffi test

test-idp: pack photos
	$(MAKE) -C examples/idp test

# Other machines: `make cross TARGET=...` readies a toolchain in build/cross, `make test-cross` runs
# the tests of the kernels there, on aarch64 in an emulator and on wasm32-wasip1 in Node, and
# `make test-identity` the whole engine: a pair of portraits must give the bits that it gives here.
TARGET ?= aarch64-unknown-linux-gnu
CROSS_ISA := $(if $(filter aarch64-%,$(TARGET)),neon,$(if $(filter wasm32-%,$(TARGET)),wasm))
CROSS_CARGO := $(if $(filter wasm32-%,$(TARGET)),cargo,cargo-zigbuild)
CROSS_TEST = . build/cross/$(TARGET).env && VULTUS_REQUIRED_ISA=$(CROSS_ISA) \
	$(CROSS_CARGO) test --release --target $(TARGET)
PAIR := build/cross/pair
PAIR_TEST := VULTUS_PAIRS=$(CURDIR)/$(PAIR).txt VULTUS_DIGESTS=$(CURDIR)/$(PAIR).digests

cross:
	.ci/cross $(TARGET)

test-cross: cross
	$(CROSS_TEST) -p vultus-nn --no-default-features --lib kernel::

test-identity: cross pack photos
	printf '%s\t%s\n' $(abspath $(wordlist 1,2,$(PORTRAITS))) >$(PAIR).txt
	rm -f $(PAIR).digests
	$(PAIR_TEST) $(CARGO_TEST) --test identity
	export $(PAIR_TEST) VULTUS_ISA=$(CROSS_ISA) VULTUS_WAYS=1 VULTUS_REPEATS=1; \
		$(CROSS_TEST) -p vultus --test identity

pack: $(VENV)/tools
	$(PY) -m vultus_models build --out build/pack

photos: $(VENV)/tools $(SPECIMEN)

$(PORTRAITS) &:
	$(PY) -m vultus_models photos --out build/photos

$(SPECIMEN): build/photos/obama.jpg models/vultus_models/specimen.py
	$(PY) -m vultus_models specimen --portrait $< --out $@

wheel: pack
	rm -rf dist python/py_src/vultus/pack
	cp -r build/pack python/py_src/vultus/pack
	$(VENV)/bin/maturin build --release --manifest-path python/Cargo.toml --interpreter $(PY) \
		--compatibility manylinux_2_17 --out dist -- -C linker=$(CURDIR)/python/linker
	$(PY) -m pip install --quiet --force-reinstall --no-deps dist/vultus-*.whl

# The wheel of another machine, in dist/TARGET; its tag is read off its symbols.
wheel-cross: pack cross
	rm -rf dist/$(TARGET) python/py_src/vultus/pack
	cp -r build/pack python/py_src/vultus/pack
	. build/cross/$(TARGET).env && $(CURDIR)/$(VENV)/bin/maturin build --release --zig \
		--target $(TARGET) --manifest-path python/Cargo.toml --compatibility manylinux_2_17 \
		--out dist/$(TARGET)
	$(PY) -m pip install --quiet auditwheel
	$(PY) -m auditwheel show dist/$(TARGET)/*.whl | tee dist/$(TARGET)/tag
	grep -q '"manylinux_2_17_$(firstword $(subst -, ,$(TARGET)))"' dist/$(TARGET)/tag

$(VENV)/tools: models/pyproject.toml
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet "maturin>=1.9,<2" "ziglang>=0.15" --editable "models[specimen]"
	touch $@

# vultus beside other runtimes: `make bench-peers` times all, `make bench-peers ONLY="mobilefacenet
# verify" SECONDS=30` some of it.
PEERS := build/peers
RECORD := benches/record/$(shell date +%F).json
SECONDS ?= 20

bench-peers: $(PEERS)/prepared
	cargo build --release --workspace --exclude vultus-python --bin peer-worker
	$(PEERS)/bin/python benches/peers/run.py --tasks $(PEERS)/tasks \
		--worker target/release/peer-worker --seconds $(SECONDS) --record $(RECORD) \
		$(if $(ONLY),--only $(ONLY))
	$(PEERS)/bin/python benches/peers/chart.py $(RECORD)

$(PEERS)/prepared: $(PEERS)/tools build/pack/pack.json $(PORTRAITS) benches/peers/prepare.py
	rm -rf $(PEERS)/tasks
	$(PEERS)/bin/python benches/peers/prepare.py --pack build/pack --photos build/photos \
		--out $(PEERS)/tasks
	touch $@

# face-recognition asks for a dlib that is built from source, and pnnx for torch, which its program
# does not need.
$(PEERS)/tools: benches/peers/requirements.txt
	python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --requirement benches/peers/requirements.txt --editable models
	$(PEERS)/bin/pip install --quiet --no-deps face-recognition face-recognition-models pnnx
	touch $@

build/pack/pack.json:
	$(MAKE) pack

# The form of every language; each tool is pinned, and brought by its registry.
LINT := $(VENV)/lint
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GO_MODULES := ffi/go examples/go examples/idp

lint: $(LINT)
	.ci/layers
	.ci/columns
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- --deny warnings
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	@unformatted=$$(gofmt -l $(GO_MODULES)); \
	    [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(MAKE) -C ffi stage
	$(MAKE) -C examples/idp web
	@for module in $(GO_MODULES); do echo "vet and staticcheck: $$module"; (cd $$module && \
	    export PKG_CONFIG_PATH=$(CURDIR)/build/ffi/prefix/lib/pkgconfig && \
	    go vet ./... && go run $(STATICCHECK) ./...); done
	command -v cargo-deny >/dev/null || \
	    cargo install --quiet --locked --debug cargo-deny --version 0.20.2
	cargo deny check bans licenses sources

$(LINT): $(VENV)/tools
	$(PY) -m pip install --quiet "ruff==0.17.6"
	touch $@

clean:
	rm -rf build dist $(VENV) target python/py_src/vultus/pack
