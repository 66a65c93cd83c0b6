# Everything runs from .venv, which the first target that needs it builds.

PYTHON ?= python3
BIN := .venv/bin
DEMO_READY := .venv/demo-ready
READY := .venv/ready
comma := ,
# What decides what is in .venv; the Python sources are used in place.
INPUTS := pyproject.toml setup.py package.xml CMakeLists.txt scripts/dmmi_node \
          $(wildcard msg/*.msg srv/*.srv action/*.action packaging/*.py packaging/*.txt cmake/*.cmake)

# A ROS 2 that this shell has sourced must not mix with the one in .venv.
unexport PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH RMW_IMPLEMENTATION
ifdef ROS_DISTRO
unexport LD_LIBRARY_PATH
endif

.PHONY: help demo test lint clean
help:
	@echo "make demo    a ROS 2 node finds what sentences ask for in photographs; results in demo_output/"
	@echo "make test    style checks, then all the tests"
	@echo "make lint    style checks only"
	@echo "make clean   removes .venv and everything that was built"

# What the tests need is more than the demo needs.
demo: $(if $(wildcard $(READY)),$(READY),$(DEMO_READY))
	$(BIN)/python demo/run.py

test: lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf .venv build dist install log *.egg-info demo_output .pytest_cache .ruff_cache

# $(1): the extras to install; $(2): the size of the download.
define set_up
	@rm -f $@
	@$(PYTHON) packaging/check_machine.py
	@echo "== Setting up .venv, once: pip downloads about $(2), compiles the ROS messages (half a minute)"
	@echo "   and installs everything; its last step is silent for a minute"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --editable '.[$(1)]' --config-settings ros=kilted
	@touch $@ # last, so that a set-up that failed is tried again
	@echo "== .venv is ready"
endef

$(DEMO_READY): $(INPUTS)
	$(call set_up,ros$(comma)openvino$(comma)demo,0.3 GB)

$(READY): $(INPUTS)
	$(call set_up,all$(comma)test$(comma)demo,3 GB (6 GB on disk))
