"""From DMN 1.1 to 1.5 XML to a model. Anything well-formed is read; judging comes later."""

from orchestration.dmn.box_reading import child_box, function_of, variables
from orchestration.dmn.errors import ModelRefused
from orchestration.dmn.model import (
    Decision,
    Element,
    InputData,
    ItemDefinition,
    Knowledge,
    Model,
    Service,
    Variable,
)
from orchestration.feel.names import normalise
from orchestration.markup import (
    Element as Markup,
)
from orchestration.markup import (
    MarkupRefused,
    child,
    children,
    line_of,
    local_name,
    namespace,
    read_xml,
    text_of,
)

SIZE_MAX_BYTES = 5_000_000
_NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
}


def read(xml: bytes) -> Model:
    """Read a model.

    Raises:
        ModelRefused: the file is too large, is no safe XML, or is no DMN.
    """
    try:
        root = read_xml(xml, size_max_bytes=SIZE_MAX_BYTES)
    except MarkupRefused as error:
        raise ModelRefused("not_readable", "", error.line, error.reason) from error
    if local_name(root) != "definitions" or namespace(root) not in _NAMESPACES:
        words = "The file is not a DMN 1.1 to 1.5 model."
        raise ModelRefused("not_dmn", "", line_of(root), words)
    own = root.get("namespace") or ""
    return Model(
        id=root.get("id") or "",
        name=root.get("name") or "",
        namespace=own,
        imports={
            normalise(each.get("name") or ""): each.get("namespace") or ""
            for each in children(root, "import")
        },
        import_lines={
            normalise(each.get("name") or ""): line_of(each) for each in children(root, "import")
        },
        items=tuple(_item(each) for each in children(root, "itemDefinition")),
        elements=_elements(root, own),
    )


def _elements(root: Markup, own: str) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for markup in root:
        element = _element(markup, own)
        if element is None:
            continue
        if element.id in found:
            words = f"The id {element.id!r} is used twice."
            raise ModelRefused("repeated_id", element.id, line_of(markup), words)
        found[element.id] = element
    return found


def _element(markup: Markup, own: str) -> Element | None:
    match local_name(markup):
        case "inputData":
            return InputData(_id(markup), _name(markup), _variable(markup), line_of(markup))
        case "decision":
            return _decision(markup, own)
        case "businessKnowledgeModel":
            return _knowledge(markup, own)
        case "decisionService":
            return _service(markup, own)
        case _:
            return None


def _id(markup: Markup) -> str:
    return markup.get("id") or f"{local_name(markup)}-line-{line_of(markup)}"


def _name(markup: Markup) -> str:
    return normalise(markup.get("name") or "")


def _variable(markup: Markup) -> Variable:
    drawn = child(markup, "variable")
    if drawn is None:
        return Variable(_name(markup), None)
    type_ref = drawn.get("typeRef") or text_of(child(drawn, "typeRef")) or None
    return Variable(_name(drawn) or _name(markup), type_ref)


def _references(markup: Markup, own: str, *names: str) -> tuple[str, ...]:
    return tuple(_reference(each, own) for each in children(markup, *names))


def _reference(markup: Markup, own: str) -> str:
    where, _, identity = (markup.get("href") or "").rpartition("#")
    return f"{where or own}#{identity}"


def _required(markup: Markup, own: str, requirement: str, *names: str) -> tuple[str, ...]:
    return tuple(
        reference
        for each in children(markup, requirement)
        for reference in _references(each, own, *names)
    )


def _decision(markup: Markup, own: str) -> Decision:
    return Decision(
        id=_id(markup),
        name=_name(markup),
        variable=_variable(markup),
        requires=_required(
            markup, own, "informationRequirement", "requiredInput", "requiredDecision"
        ),
        knowledge=_required(markup, own, "knowledgeRequirement", "requiredKnowledge"),
        box=child_box(markup),
        line=line_of(markup),
    )


def _knowledge(markup: Markup, own: str) -> Knowledge:
    logic = child(markup, "encapsulatedLogic")
    return Knowledge(
        id=_id(markup),
        name=_name(markup),
        variable=_variable(markup),
        knowledge=_required(markup, own, "knowledgeRequirement", "requiredKnowledge"),
        function=None if logic is None else function_of(logic),
        line=line_of(markup),
    )


def _service(markup: Markup, own: str) -> Service:
    return Service(
        id=_id(markup),
        name=_name(markup),
        variable=_variable(markup),
        outputs=_references(markup, own, "outputDecision"),
        input_decisions=_references(markup, own, "inputDecision"),
        input_data=_references(markup, own, "inputData"),
        line=line_of(markup),
    )


def _item(markup: Markup) -> ItemDefinition:
    function = child(markup, "functionItem")
    return ItemDefinition(
        name=_name(markup),
        type_ref=text_of(child(markup, "typeRef")) or markup.get("typeRef") or None,
        is_collection=markup.get("isCollection") == "true",
        components=tuple(_item(each) for each in children(markup, "itemComponent")),
        allowed=_tests(markup, "allowedValues"),
        constraint=_tests(markup, "typeConstraint"),
        function=None
        if function is None
        else (variables(function, "parameters"), function.get("outputTypeRef")),
    )


def _tests(markup: Markup, name: str) -> str | None:
    holder = child(markup, name)
    return None if holder is None else text_of(child(holder, "text")) or None
