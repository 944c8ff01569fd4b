"""Built-in string functions."""

from decimal import Decimal

from orchestration.feel.evaluation import Evaluation
from orchestration.feel.formatting import text_within
from orchestration.feel.functions.patterns import compile_pattern, replacement_parts
from orchestration.feel.functions.registry import builtin
from orchestration.feel.functions.xpath_machine import Spans
from orchestration.feel.values import FeelValue


@builtin("string(from)", takes_evaluation=True)
def _string(evaluation: Evaluation, value: FeelValue) -> FeelValue:
    if value is None or isinstance(value, str):
        return value
    room = evaluation.limits.size
    text = text_within(value, room)
    evaluation.check_size(room + 1 if text is None else len(text))
    return text


@builtin("substring(string: string, start position: number, length?: number|Null)")
def _substring(text: str, start: Decimal, length: Decimal | None = None) -> FeelValue:
    position = int(start)
    if position == 0 or abs(position) > len(text) or (length is not None and length < 1):
        return None
    begin = position - 1 if position > 0 else len(text) + position
    return text[begin:] if length is None else text[begin : begin + int(length)]


@builtin("string length(string: string)")
def _string_length(text: str) -> FeelValue:
    return Decimal(len(text))


@builtin("upper case(string: string)")
def _upper_case(text: str) -> FeelValue:
    return text.upper()


@builtin("lower case(string: string)")
def _lower_case(text: str) -> FeelValue:
    return text.lower()


@builtin("substring before(string: string, match: string)")
def _substring_before(text: str, match: str) -> FeelValue:
    return text.partition(match)[0] if match and match in text else ""


@builtin("substring after(string: string, match: string)")
def _substring_after(text: str, match: str) -> FeelValue:
    if not match:
        return text
    return text.partition(match)[2]


@builtin("contains(string: string, match: string)")
def _contains(text: str, match: str) -> FeelValue:
    return match in text


@builtin("starts with(string: string, match: string)")
def _starts_with(text: str, match: str) -> FeelValue:
    return text.startswith(match)


@builtin("ends with(string: string, match: string)")
def _ends_with(text: str, match: str) -> FeelValue:
    return text.endswith(match)


@builtin("matches(input: string, pattern: string, flags?: string|Null)", takes_evaluation=True)
def _matches(
    evaluation: Evaluation, text: str, pattern: str, flags: str | None = None
) -> FeelValue:
    compiled = compile_pattern(pattern, flags or "", evaluation)
    return None if compiled is None else compiled.first(text, 0, evaluation) is not None


@builtin(
    "replace(input: string, pattern: string, replacement: string, flags?: string|Null)",
    takes_evaluation=True,
)
def _replace(
    evaluation: Evaluation, text: str, pattern: str, replacement: str, flags: str | None = None
) -> FeelValue:
    compiled = compile_pattern(pattern, flags or "", evaluation)
    if compiled is None or compiled.matches_nothing(evaluation):
        return None  # XPath refuses to replace matches of nothing.
    is_literal = "q" in (flags or "")
    parts = (replacement,) if is_literal else replacement_parts(replacement, compiled.groups)
    if parts is None:
        return None
    made: list[str] = []
    size = end = 0
    for spans in compiled.each(text, evaluation):
        piece = text[end : spans[0][0]] + _filled(parts, spans, text)
        end = spans[0][1]
        made.append(piece)
        size += len(piece)
        evaluation.check_size(size)
    return "".join((*made, text[end:]))


def _filled(parts: tuple[str | int, ...], spans: Spans, text: str) -> str:
    return "".join(
        part if isinstance(part, str) else text[slice(*spans[part])] if spans[part][0] >= 0 else ""
        for part in parts
    )


@builtin("split(string: string, delimiter: string)", takes_evaluation=True)
def _split(evaluation: Evaluation, text: str, delimiter: str) -> FeelValue:
    compiled = compile_pattern(delimiter, "", evaluation)
    if compiled is None or compiled.matches_nothing(evaluation):
        return None  # XPath refuses a delimiter that matches nothing.
    made: list[FeelValue] = []
    end = 0
    for spans in compiled.each(text, evaluation):
        made.append(text[end : spans[0][0]])
        end = spans[0][1]
    return (*made, text[end:])


@builtin("string join(list: list, delimiter?: string|Null)", takes_evaluation=True)
def _string_join(
    evaluation: Evaluation, items: tuple[FeelValue, ...], delimiter: str | None = None
) -> FeelValue:
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) != sum(item is not None for item in items):
        return None
    evaluation.check_size(sum(map(len, texts)) + len(texts) * len(delimiter or ""))
    return (delimiter or "").join(texts)
