"""DMN models in a few words."""

from collections.abc import Sequence

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(*parts: str) -> bytes:
    body = "\n".join(parts)
    root = f'<definitions xmlns="{NAMESPACE}" namespace="n" name="m" id="m">'
    return f"{root}{body}</definitions>".encode()


def input_data(name: str, type_ref: str) -> str:
    return (
        f'<inputData id="{name}" name="{name}">'
        f'<variable name="{name}" typeRef="{type_ref}"/></inputData>'
    )


def decision(
    name: str, logic: str, *inputs: str, requires: Sequence[str] = (), identity: str = ""
) -> str:
    needed = [f'<requiredInput href="#{each}"/>' for each in inputs]
    needed += [f'<requiredDecision href="#_{each}"/>' for each in requires]
    links = "".join(f"<informationRequirement>{each}</informationRequirement>" for each in needed)
    is_box = logic.startswith("<")
    box = logic if is_box else f"<literalExpression><text>{logic}</text></literalExpression>"
    return (
        f'<decision id="{identity or "_" + name}" name="{name}"><variable name="{name}"/>'
        f"{links}{box}</decision>"
    )


def table(
    policy: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *rules: str,
    values: str = "",
    default: str = "",
) -> str:
    columns = "".join(
        f"<input><inputExpression><text>{each}</text></inputExpression></input>" for each in inputs
    )
    listed = f"<outputValues><text>{values}</text></outputValues>" if values else ""
    usual = f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    columns += "".join(f'<output name="{each}">{listed}{usual}</output>' for each in outputs)
    columns += '<annotation name="reason"/>'
    return f'<decisionTable id="t" {policy}>{columns}{"".join(rules)}</decisionTable>'


def rule(identity: str, test: str, *outputs: str, note: str = "") -> str:
    entries = "".join(f"<outputEntry><text>{each}</text></outputEntry>" for each in outputs)
    annotation = f"<annotationEntry><text>{note}</text></annotationEntry>"
    return (
        f'<rule id="{identity}"><inputEntry><text>{test}</text></inputEntry>'
        f"{entries}{annotation}</rule>"
    )
