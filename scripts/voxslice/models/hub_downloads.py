"""Download a model of the Hugging Face hub: only the files that are needed, of one revision."""

from pathlib import Path, PurePosixPath
from threading import Event

from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from voxslice.errors import InputError, MachineError, full_disk
from voxslice.models.downloads import within

CONFIGS = ("config.json", "preprocessor_config.json", "reference.npz")
"""Files beside the ONNX file that are downloaded if the repository has them."""


def download_hub_folder(
    repository: str,
    revision: str,
    folder: str | Path,
    *,
    file: str,
    max_megabytes: float,
    max_minutes: float,
) -> None:
    """Download the files of a model into a folder.

    Args:
        repository: `owner/name`.
        revision: Commit, of 40 hexadecimal digits. Its content never changes.
        folder: Existing folder to write to.
        file: Name of the ONNX file, in the repository or its folder `onnx`.
        max_megabytes: Most that is downloaded, in MB.
        max_minutes: Longest time that the download may take.

    Raises:
        InputError: The repository, the revision or the file does not exist or cannot be read, or
            the download is too large or too slow.
        MachineError: The disk is full.
    """
    api = HfApi()

    def work(stopped: Event) -> str:
        for name in _needed(api, repository, revision, file, max_megabytes):
            if not stopped.is_set():
                api.hf_hub_download(repository, name, revision=revision, local_dir=folder)
        return revision

    try:
        with full_disk(folder):
            within(
                60 * max_minutes,
                work,
                f"The download of {repository} takes longer than {max_minutes:g} minutes: check the"
                " network, or raise limits.download_minutes.",
            )
    except RepositoryNotFoundError as error:
        raise InputError(
            f"The hub has no model {repository} with the revision {revision}, or it is not public:"
            " correct hub.repo and hub.revision, or log in with `hf auth login`."
        ) from error
    except (InputError, MachineError):
        raise
    except Exception as error:  # the hub's client and its HTTP library raise a dozen kinds
        raise InputError(
            f"The model {repository} cannot be downloaded from the hub"
            f" ({' '.join(str(error).split())[:200]}): check the network, hub.repo and"
            " hub.revision."
        ) from error


def _needed(
    api: HfApi, repository: str, revision: str, file: str, max_megabytes: float
) -> list[str]:
    """Names of the files that a model needs: the ONNX file, its weights, and config files."""
    siblings = api.model_info(repository, revision=revision, files_metadata=True).siblings or []
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in siblings}
    graph = next((name for name in (f"onnx/{file}", file) if name in sizes), None)
    if graph is None:
        found = [name for name in sizes if name.endswith(".onnx")]
        raise InputError(
            f"The model {repository} has no ONNX file {file}, but {', '.join(found) or 'none'}:"
            " name another one as hub.file, or export the model (see docs/models.md)."
        )
    place = PurePosixPath(graph)
    weights = [
        name
        for name in sizes
        if PurePosixPath(name).parent == place.parent
        and PurePosixPath(name).name.startswith((f"{place.name}_", f"{place.name}."))
    ]
    names = [graph, *weights, *(name for name in CONFIGS if name in sizes)]
    total = sum(sizes[name] for name in names) / 1e6
    if total > max_megabytes:
        raise InputError(
            f"The files of the model {repository} have {total:,.0f} MB, more than"
            f" {max_megabytes:g} MB: raise limits.download_megabytes."
        )
    return names
