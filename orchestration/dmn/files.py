"""The rule files of one flow, read together so that one may import another."""

from collections.abc import Mapping

from orchestration.dmn.definitions import Definitions
from orchestration.dmn.reading import read


def parse_files(files: Mapping[str, str]) -> Mapping[str, Definitions]:
    """Read the rule files of a flow in the order of their imports; give them by file name.

    An import that is not among the files is a finding of the model that names it.

    Raises:
        ModelRefused: a file is too large, is no safe XML, or is no DMN.
    """
    waiting = {name: read(text.encode()) for name, text in files.items()}
    file_of: dict[str, str] = {}
    for name, model in waiting.items():
        file_of.setdefault(model.namespace, name)
    ready: dict[str, Definitions] = {}
    while waiting:
        free = [
            name
            for name, model in waiting.items()
            if not any(file_of.get(each) in waiting for each in model.imports.values())
        ]
        # Of files that import each other one is read without, so that the import is not known.
        for name in free or [next(iter(waiting))]:
            model = waiting.pop(name)
            known = {each: file_of.get(each, "") for each in model.imports.values()}
            imported = {each: ready[file] for each, file in known.items() if file in ready}
            ready[name] = Definitions(model, imported)
    return {name: ready[name] for name in files}
