"""`python -m dmmi_ros.bags.cli`."""

import sys

from dmmi_ros.bags.cli import main

if __name__ == "__main__":
    sys.exit(main())
