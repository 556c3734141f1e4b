"""Open an interactive view: python scripts/view.py results/spotlight/emodb/gender."""

import argparse
import sys

from voxslice.errors import InputError
from voxslice.viewer import show


def main() -> None:
    parser = argparse.ArgumentParser(description="Open an interactive view of a study.")
    parser.add_argument("folder", help="of the view, as in results/spotlight/emodb/gender")
    parser.add_argument("--port", type=int, help="of the local server (default: any free one)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    arguments = parser.parse_args()
    try:
        show(arguments.folder, port=arguments.port, browser=not arguments.no_browser)
    except InputError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
