import { typeError } from "./error.ts";
import type { Kwargs, Value } from "./values.ts";

/**
 * Arguments by the names of a Python function's parameters; a name that ends in `?` may be left out.
 * @returns one value for each parameter, JavaScript's undefined for what was left out
 * @throws TemplateError for what is missing, too much or unknown
 */
export function bind(
  name: string,
  parameters: readonly string[],
  args: readonly Value[],
  kwargs: Kwargs,
): (Value | undefined)[] {
  if (args.length > parameters.length) {
    throw typeError(`${name}() takes at most ${parameters.length} arguments (${args.length} given)`);
  }
  const names = parameters.map((parameter) => parameter.replace("?", ""));
  const bound: (Value | undefined)[] = names.map((_, i) => args[i]);
  for (const [key, value] of kwargs) {
    const at = names.indexOf(key);
    if (at < 0) throw typeError(`${name}() got an unexpected keyword argument '${key}'`);
    if (bound[at] !== undefined) throw typeError(`${name}() got multiple values for argument '${key}'`);
    bound[at] = value;
  }
  const missing = names.find((_, i) => bound[i] === undefined && parameters[i]?.endsWith("?") !== true);
  if (missing !== undefined) throw typeError(`${name}() missing required argument: '${missing}'`);
  return bound;
}
