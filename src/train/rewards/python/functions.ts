import { FORMAT_SCORE, TOLERANCE, ANSWER as COUNTDOWN_ANSWER } from "../countdown.ts";
import { TAGS as FORMAT_TAGS } from "../format.ts";
import { ENOUGH_STEPS, STEP } from "../reasoning-steps.ts";
import { TAGS } from "../tag-count.ts";
import { THINK } from "../think-format.ts";
import { pythonPattern, pythonString, pythonValue } from "./literals.ts";

const tuple = (texts: readonly string[]): string => `(${texts.map(pythonString).join(", ")})`;

/** The body of each reward in Python, by its name. Parameters are `RewardContext`'s, in capitals. */
export const PYTHON_REWARDS: Readonly<Record<string, () => string>> = {
  accuracy: () => `
def accuracy(completions, **kwargs):
    return [number(is_correct(row, row.text)) for row in rows_of(completions, kwargs)]`,

  reasoning_accuracy: () => `
def reasoning_accuracy(completions, **kwargs):
    def score(row):
        _, ended, answer = row.text.rpartition(THINK_END)
        return number(is_correct(row, answer)) if ended else 0.0

    return [score(row) for row in rows_of(completions, kwargs)]`,

  format: () => `
FORMAT_TAGS = ${tuple(FORMAT_TAGS)}


def format(completions, **kwargs):
    def matches(text):
        text = strip(text)
        if any(text.count(tag) != 1 for tag in FORMAT_TAGS):
            return False
        think, think_end, answer, answer_end = (text.index(tag) for tag in FORMAT_TAGS)
        if think != 0 or not think_end < answer < answer_end:
            return False
        after_thought = text[think_end + len(FORMAT_TAGS[1]) : answer]
        return answer_end + len(FORMAT_TAGS[3]) == len(text) and strip(after_thought) == ""

    return [number(matches(row.text)) for row in rows_of(completions, kwargs)]`,

  think_format: () => `
THINK_FORMAT = ${pythonPattern(THINK)}


def think_format(completions, **kwargs):
    return [number(THINK_FORMAT.search(row.text) is not None) for row in rows_of(completions, kwargs)]`,

  tag_count: () => `
TAG_COUNT_TAGS = ${tuple(TAGS)}


def tag_count(completions, **kwargs):
    def score(text):
        return sum(text.count(tag) == 1 for tag in TAG_COUNT_TAGS) / len(TAG_COUNT_TAGS)

    return [score(row.text) for row in rows_of(completions, kwargs)]`,

  reasoning_steps: () => `
STEP = ${pythonPattern(STEP)}


def reasoning_steps(completions, **kwargs):
    return [min(1.0, len(STEP.findall(row.text)) / ${ENOUGH_STEPS}) for row in rows_of(completions, kwargs)]`,

  length: () => `
def length(completions, **kwargs):
    def score_group(group):
        lengths = [len(row.ids) for row in group]
        shortest, longest = min(lengths), max(lengths)
        if shortest == longest:
            return [0.0] * len(group)
        scores = [0.5 - (size - shortest) / (longest - shortest) for size in lengths]
        return [min(0.0, s) if is_correct(row, row.text) is False else s for row, s in zip(group, scores)]

    rows = rows_of(completions, kwargs)
    groups = [rows[start : start + NUM_GENERATIONS] for start in range(0, len(rows), NUM_GENERATIONS)]
    return [score for group in groups for score in score_group(group)]`,

  cosine: () => `
def cosine(completions, **kwargs):
    def score(row):
        correct = is_correct(row, row.text)
        if correct is None:
            return None
        progress = min(len(row.ids), COSINE_MAX_LEN) / COSINE_MAX_LEN
        if correct:
            low, high = COSINE_MIN_VALUE_CORRECT, COSINE_MAX_VALUE_CORRECT
        else:
            low, high = COSINE_MAX_VALUE_WRONG, COSINE_MIN_VALUE_WRONG
        return low + 0.5 * (high - low) * (1 + math.cos(progress * math.pi))

    return [score(row) for row in rows_of(completions, kwargs)]`,

  soft_overlong: () => `
def soft_overlong(completions, **kwargs):
    def score(size):
        free = MAX_COMPLETION_LENGTH - SOFT_PUNISH_CACHE
        if size <= free:
            return 0.0
        return (free - size) / SOFT_PUNISH_CACHE if size <= MAX_COMPLETION_LENGTH else -1.0

    return [score(len(row.ids)) for row in rows_of(completions, kwargs)]`,

  repetition: () => `
def repetition(completions, **kwargs):
    return [repetition_penalty(row.ids) for row in rows_of(completions, kwargs)]`,

  repetition_words: () => `
def repetition_words(completions, **kwargs):
    def words(text):
        return [word for word in re.split(f"[{WHITESPACE}]+", text.lower()) if word]

    return [repetition_penalty(words(row.text)) for row in rows_of(completions, kwargs)]`,

  language_consistency: () => `
def language_consistency(completions, **kwargs):
    def score(row):
        language = row.columns.get("language")
        language = re.split("[-_]", language.lower())[0] if isinstance(language, str) else None
        if language not in LANGUAGES:
            return None
        _, opened, rest = row.text.partition(THINK_START)
        thought = (rest if opened else row.text).partition(THINK_END)[0]
        return language_share(thought, language)

    return [score(row) for row in rows_of(completions, kwargs)]`,

  countdown: () => `
TAGGED = ${pythonPattern(COUNTDOWN_ANSWER)}


def countdown(completions, **kwargs):
    def score(row):
        numbers, target = row.columns.get("numbers"), row.columns.get("target")
        if numbers is None or target is None:
            return None
        answers = TAGGED.findall(row.text)
        if not answers:
            return 0.0
        result = evaluate(answers[-1])
        if result is None or sorted(result.numbers) != sorted(float(n) for n in numbers):
            return ${pythonValue(FORMAT_SCORE)}
        return 1.0 if abs(result.value - float(target)) < ${pythonValue(TOLERANCE)} else ${pythonValue(FORMAT_SCORE)}

    return [score(row) for row in rows_of(completions, kwargs)]`,
};
