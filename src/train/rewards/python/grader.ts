/**
 * Grades answers of datasets that bring no checker of their own: with Math-Verify, as TRL does, where it is installed;
 * else numbers and fractions by value and everything else by its text, which is narrower than the grader of this project.
 * As there, what a thought says is no answer, nor is a text whose thought or last box never ends.
 */
export const PYTHON_GRADER = `
try:
    import math_verify
except ImportError:
    math_verify = None

BOX = re.compile(r"\\\\(?:boxed|fbox)\\s*\\{")
FORMULA = re.compile(r"\\$\\$(.+?)\\$\\$|\\$(.+?)\\$|\\\\\\[(.+?)\\\\\\]|\\\\\\((.+?)\\\\\\)", re.DOTALL)
NUMBER = re.compile(r"(?<![0-9A-Za-z_.])-?[0-9][0-9,]*(?:\\.[0-9]+)?(?:\\s?/\\s?[0-9]+)?")
FRACTION = re.compile(r"(-?)\\\\[dt]?frac\\{(-?[0-9]+)\\}\\{(-?[0-9]+)\\}")
DECIMAL = re.compile(r"-?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)(?:/[0-9]+(?:\\.[0-9]+)?)?")
PROSE = re.compile(r"[^\\W\\d_]{2,}")
THOUGHT = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
WORDS = re.compile(r"\\\\(?:text|textbf|textit|mathrm)\\s*\\{([^{}]*)\\}")
VALUE = r"(?:\\$[^$\\n]{1,120}\\$|\\\\boxed\\s*\\{[^{}\\n]*\\}|-?[0-9][0-9.,/]*)"
DENIED = re.compile(
    r"(?:(?:\\b(?:not|never|cannot)|n't)(?:\\s+(?:be|equal|to|the|answer|is))*\\s+|\\b(?:anything|everything)\\s+but\\s+"
    r"|(?:不是|并非|而非|不等于)\\s*)" + VALUE + "|" + VALUE + r"[^\\s0-9。、,.$]{0,4}(?:では|じゃ)(?:なく|ない|なかっ|ありませ)[^\\s0-9。、,]{0,6}",
    re.IGNORECASE,
)
ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2212: "-"}


def without_thoughts(text):
    """What follows the last thought; None where one never ends."""
    end, opened = 0, False
    for tag in THOUGHT.finditer(text):
        opened = tag.group(1) == ""
        end = end if opened else tag.end()
    return None if opened else text[end:]


def last_boxed(text):
    """What stands in the last box; None where there is none, False where it never closes."""
    found = None
    for box in BOX.finditer(text):
        depth, closed = 1, False
        for end in range(box.end(), len(text)):
            depth += (text[end] == "{") - (text[end] == "}")
            if depth == 0:
                found, closed = text[box.end() : end], True
                break
        if not closed:
            return False
    return found


def final_answer(text):
    """The answer in a text: of its answer tag, its last box, formula or number; a text without prose is one itself."""
    text = text.translate(ASCII)
    tagged = re.findall("<answer>((?:(?!<answer>).)*?)</answer>", text, re.DOTALL)
    text = strip(tagged[-1]) if tagged and strip(tagged[-1]) else strip(text)
    boxed = last_boxed(text)
    if boxed is not None:
        return boxed or None
    if PROSE.fullmatch(text):
        return text
    if text and not PROSE.search(re.sub(r"\\\\[a-zA-Z]+", " ", text)):
        return text
    formulas = FORMULA.findall(text)
    if formulas:
        return "".join(formulas[-1])
    numbers = NUMBER.findall(text)
    return numbers[-1] if numbers else None


def value_of(answer):
    """The exact value of a number or a fraction; None for anything else."""
    text = re.sub(r"\\\\left|\\\\right|\\\\[,;:! ]|[\\s$]", "", answer).rstrip(".,;:")
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "", text)
    percent = re.search(r"\\\\?%$", text)
    text = text[: percent.start()] if percent else text
    fraction = FRACTION.fullmatch(text)
    if fraction:
        sign, top, bottom = fraction.groups()
        if int(bottom) == 0:
            return None
        value = Fraction(int(top), int(bottom)) * (-1 if sign else 1)
    elif DECIMAL.fullmatch(text):
        top, _, bottom = text.partition("/")
        if bottom and Fraction(bottom) == 0:
            return None
        value = Fraction(top) / (Fraction(bottom) if bottom else 1)
    else:
        return None
    return value / 100 if percent else value


def same_answer(gold, given):
    left, right = value_of(gold), value_of(given)
    if left is not None and right is not None:
        return left == right
    left, right = (re.sub(r"\\s", "", WORDS.sub(r"\\1", text)) for text in (gold, given))
    # Capital letters of a word do not count, those of variables do.
    return left == right or (left.casefold() == right.casefold() and PROSE.fullmatch(left) is not None)


def grade(gold, completion):
    """Does the completion give the gold answer? None where the gold answer cannot be read."""
    said = without_thoughts(completion)
    said = "" if said is None or last_boxed(said) is False else DENIED.sub(" ", said)
    if math_verify is not None:
        parsed = math_verify.parse(gold)
        return math_verify.verify(parsed, math_verify.parse(said)) if parsed else None
    expected = final_answer(gold)
    if expected is None or not re.search(r"\\w", expected):
        return None
    given = final_answer(said)
    return given is not None and same_answer(expected, given)`;
