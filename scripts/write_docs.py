"""Write the pages of docs/ that are generated from the code (`make docs`)."""

from pathlib import Path

from voxslice.files import write_text
from voxslice.table_specs import as_markdown

if __name__ == "__main__":
    write_text(as_markdown(), Path(__file__).parents[1] / "docs/tables.md")
