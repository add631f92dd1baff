import { THINK_END, THINK_START } from "../../../text/tags.ts";
import { MAX_CHARACTERS, MAX_DEPTH, STRENGTH, TOKEN } from "../expression.ts";
import { pythonLanguages } from "./languages.ts";
import { PYTHON_WHITESPACE, pythonPattern, pythonString } from "./literals.ts";

const strengths = (): string =>
  Object.entries(STRENGTH.standard)
    .map(([sign, strength]) => `${pythonString(sign)}: ${strength}`)
    .join(", ");

/** What the rewards in Python share. */
export function pythonHelpers(): string {
  return `
THINK_START = ${pythonString(THINK_START)}
THINK_END = ${pythonString(THINK_END)}
WHITESPACE = "${PYTHON_WHITESPACE}"
SPACES = re.compile(f"^[{WHITESPACE}]+|[{WHITESPACE}]+\\\\Z")


class Row(NamedTuple):
    """One completion: its text with what the prompt had opened, its token ids, and its row of the dataset."""

    text: str
    ids: list
    columns: dict


def rows_of(completions, columns):
    """Rows of what TRL passes: completions as texts or messages, and one list for each column of the dataset."""

    def text_of(completion):
        return completion if isinstance(completion, str) else "".join(part["content"] for part in completion)

    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    ids = lists.get("completion_ids", [[]] * len(completions))
    return [
        Row(OPENING + text_of(one), ids[i], {name: values[i] for name, values in lists.items() if i < len(values)})
        for i, one in enumerate(completions)
    ]


def number(value):
    return None if value is None else float(value)


def strip(text):
    return SPACES.sub("", text)


def tagged_answer(completion):
    """What stands in the last <answer> after the thought; None where the thought never ends."""
    _, ended, rest = completion.partition(THINK_END)
    while ended and strip(rest).startswith(THINK_START):
        _, ended, rest = rest.partition(THINK_END)
    answers = re.findall("<answer>(.*?)</answer>", rest, re.DOTALL) if ended else []
    return answers[-1] if answers else None


def is_correct(row, text):
    """By the task's own checker, which finds the end of the thought itself, else by the column \`solution\`."""
    check = CHECKS.get(TASK)
    if check is not None:
        return check(row.columns, row.text)
    solution = row.columns.get("solution")
    if isinstance(solution, float) and solution.is_integer():
        solution = int(solution)
    return grade(str(solution), text) if isinstance(solution, (str, int)) else None


def repetition_penalty(parts):
    """The share of n-grams that repeat others, times the (negative) reward of pure repetition."""
    total = len(parts) - REPETITION_N_GRAMS + 1
    if total < 1:
        return 0.0
    seen = {tuple(parts[start : start + REPETITION_N_GRAMS]) for start in range(total)}
    return REPETITION_MAX_PENALTY * (1 - len(seen) / total) if len(seen) < total else 0.0


${pythonLanguages()}

class Value(NamedTuple):
    value: float
    numbers: list


TOKEN = ${pythonPattern(TOKEN)}
STRENGTH = {${strengths()}}


def divide(a, b):
    """As IEEE 754 has it, where Python raises."""
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


OPERATORS = {"+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": divide}


def evaluate(text):
    """The value of numbers joined by + - * / and parentheses, and the numbers used; None for anything else."""
    if len(text) > ${MAX_CHARACTERS}:
        return None
    text = re.sub(f"[{WHITESPACE}]+\\\\Z", "", text)
    tokens, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            return None
        tokens.append(match[2] if match[1] is None else float(match[1]))
        at = match.end()
    numbers = []

    def value(at, depth):
        if depth > ${MAX_DEPTH} or at >= len(tokens):
            return None
        token = tokens[at]
        if isinstance(token, float):
            numbers.append(token)
            return token, at + 1
        if token in "+-":
            found = value(at + 1, depth + 1)
            return found and (-found[0] if token == "-" else found[0], found[1])
        if token != "(":
            return None
        found = expression(1, at + 1, depth + 1)
        return (found[0], found[1] + 1) if found and tokens[found[1] : found[1] + 1] == [")"] else None

    def expression(weakest, at, depth):
        left = value(at, depth)
        while left is not None:
            sign = tokens[left[1]] if left[1] < len(tokens) else None
            strength = STRENGTH.get(sign, 0)
            if strength < weakest:
                return left
            right = expression(strength + 1, left[1] + 1, depth)
            left = right and (OPERATORS[sign](left[0], right[0]), right[1])
        return None

    found = expression(1, 0, 0)
    if found is None or found[1] < len(tokens) or not math.isfinite(found[0]):
        return None
    return Value(found[0], numbers)
`;
}
