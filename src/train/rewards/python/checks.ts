import { DIGITS, MAX_ANSWER_CHARS as MAX_ADDITION_CHARS } from "../../tasks/addition.ts";
import { NUMBER } from "../../tasks/bilingual.ts";
import { EXPRESSION, MAX_ANSWER_CHARS } from "../../tasks/countdown.ts";
import { pythonPattern } from "./literals.ts";

/**
 * The checkers of the tasks in Python, by the task's name: functions `check_{task}(columns, completion) -> bool` that
 * agree with `Task.check`.
 */
export const PYTHON_CHECKS: Readonly<Record<string, () => string>> = {
  countdown: () => `
COUNTDOWN_ANSWER = ${pythonPattern(EXPRESSION)}


def check_countdown(columns, completion):
    """The numbers, each once, joined by + - *, computed from left to right without precedence."""
    answer = tagged_answer(completion)
    if answer is None or len(answer) > ${MAX_ANSWER_CHARS} or not COUNTDOWN_ANSWER.search(answer):
        return False
    used = [int(number) for number in re.findall("[0-9]+", answer)]
    signs = re.findall("[-+*]", answer)
    if sorted(used) != sorted(columns["numbers"]):
        return False
    value = used[0]
    for sign, number in zip(signs, used[1:]):
        value = value + number if sign == "+" else value - number if sign == "-" else value * number
    return value == columns["target"]`,

  addition: () => `
ADDITION_ANSWER = ${pythonPattern(DIGITS)}


def check_addition(columns, completion):
    """The digits of the sum, units first, whatever space stands between them."""
    answer = tagged_answer(completion)
    if answer is None or len(answer) > ${MAX_ADDITION_CHARS} or not ADDITION_ANSWER.search(answer):
        return False
    return " ".join(re.findall("[0-9]", answer)) == columns["solution"]`,

  bilingual: () => `
BILINGUAL_ANSWER = ${pythonPattern(NUMBER)}


def check_bilingual(columns, completion):
    """The number alone."""
    answer = tagged_answer(completion)
    if answer is None or not BILINGUAL_ANSWER.search(answer):
        return False
    return int(strip(answer)) == columns["solution"]`,
};
