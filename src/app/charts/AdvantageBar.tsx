import { signOf } from "./scales.ts";
import { SIGN_FILL } from "./sign-styles.ts";

/** An advantage as a bar from the middle: right and blue above zero, left and vermilion below. For the eye only. */
export function AdvantageBar({ advantage, reach }: { readonly advantage: number; readonly reach: number }) {
  const share = reach > 0 ? Math.min(1, Math.abs(advantage) / reach) : 0;
  const percent = `${share * 50}%`;
  const sign = signOf(advantage);
  const isLeft = sign === "negative";
  return (
    <span aria-hidden className="relative inline-block h-3 w-28 align-[-0.1em]">
      <span className="absolute inset-y-0 left-1/2 w-px bg-edge" />
      <span
        className={`absolute inset-y-0.5 transition-[width] duration-200 motion-reduce:transition-none ${SIGN_FILL[sign]}`}
        style={isLeft ? { right: "50%", width: percent } : { left: "50%", width: sign === "zero" ? "3px" : percent }}
      />
    </span>
  );
}
