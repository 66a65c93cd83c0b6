# Everything runs from .venv, which the first target that needs it builds.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# What decides what is in .venv; the Python sources are used in place.
INPUTS := pyproject.toml setup.py package.xml CMakeLists.txt scripts/dmmi_node \
          $(wildcard msg/*.msg srv/*.srv packaging/*.py packaging/*.txt cmake/*.cmake)

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

demo: $(READY)
	$(BIN)/python demo/run.py

test: lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

clean:
	rm -rf .venv build dist install log *.egg-info demo_output .pytest_cache .ruff_cache

# The stamp comes last, so that a set-up that failed is tried again.
$(READY): $(INPUTS)
	@rm -f $@
	@$(PYTHON) packaging/check_machine.py
	@echo "== Setting up .venv, once; it takes a few minutes"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "== pip downloads PyTorch, ROS 2 and the rest (about 3 GB; 6 GB on disk), compiles the ROS"
	@echo "   messages (half a minute) and installs everything; the last step is silent for a minute or two"
	@$(BIN)/python -m pip install --editable '.[ros,engines,train,test,demo]' --config-settings ros=kilted
	@touch $@
	@echo "== .venv is ready"
