"""Open an interactive view: python scripts/view.py results/spotlight/emodb/gender."""

import argparse
import sys

from voxslice.errors import InputError, MachineError
from voxslice.report.spotlight.viewer import check_port, load, load_slices, show


def main() -> None:
    """Open the view that the command line names."""
    parser = argparse.ArgumentParser(description="Open an interactive view of a study.")
    parser.add_argument("folder", help="folder of a view, such as results/spotlight/emodb/gender")
    parser.add_argument("--slices", action="store_true", help="show slices instead of utterances")
    parser.add_argument("--port", type=int, help="port of the local server (default: any free one)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    arguments = parser.parse_args()
    try:
        check_port(arguments.port)
        view = (load_slices if arguments.slices else load)(arguments.folder)
        show(view, port=arguments.port, browser=not arguments.no_browser)
    except (InputError, MachineError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
