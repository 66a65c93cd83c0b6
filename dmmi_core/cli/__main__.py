import sys

from dmmi_core.cli import main

sys.exit(main())
