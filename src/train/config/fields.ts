import * as v from "valibot";

/**
 * Building blocks of configuration schemas. Each issue's message is what was expected, so that a complaint reads
 * "field: found …; expected …".
 */

/** A whole number in [least, most]. */
export const whole = (least: number, most: number): v.GenericSchema<number> => {
  const expected = `a whole number from ${least} to ${most}`;
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(least, expected), v.maxValue(most, expected));
};

/** A number in [least, most]. */
export const number = (least: number, most: number): v.GenericSchema<number> => {
  const expected = `a number from ${least} to ${most}`;
  return v.pipe(v.number(expected), v.minValue(least, expected), v.maxValue(most, expected));
};

/** A number in (above, most]. */
export const numberAbove = (above: number, most: number): v.GenericSchema<number> => {
  const expected = `a number above ${above}, at most ${most}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => value > above, expected),
    v.maxValue(most, expected),
  );
};

/** A number in [least, below). */
export const numberBelow = (least: number, below: number): v.GenericSchema<number> => {
  const expected = `a number from ${least}, below ${below}`;
  return v.pipe(
    v.number(expected),
    v.minValue(least, expected),
    v.check((value) => value < below, expected),
  );
};

export const flag = v.boolean("true or false");

export const oneOf = <const Name extends string>(names: readonly Name[]): v.GenericSchema<Name> =>
  v.picklist(names, `one of ${names.join(", ")}`);

/** Text that names a file, a task or a model. */
export const text = (what: string): v.GenericSchema<string> =>
  v.pipe(v.string(what), v.minLength(1, what), v.maxLength(4096, what));

/** Nothing, unless it is given. */
export const orNull = <Schema extends v.GenericSchema>(
  schema: Schema,
): v.OptionalSchema<v.NullableSchema<Schema, undefined>, null> => v.optional(v.nullable(schema), null);

/** The names of a table's entries, typed. */
export const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] => {
  const names: Name[] = [];
  for (const name in table) names.push(name);
  return names;
};
