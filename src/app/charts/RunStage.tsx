import type { RunData } from "../runs/run-data.ts";

interface RunStageProps {
  readonly runs: readonly RunData[];
  /** Id of the run in front. */
  readonly focus: string;
  readonly onOpenSettings?: () => void;
}

/** The last metrics of the run in front. */
export function RunStage({ runs, focus }: RunStageProps) {
  const run = runs.find(({ id }) => id === focus);
  const metrics = Object.entries(run?.steps.at(-1)?.metrics ?? {});
  return (
    <table className="m-4 text-xs">
      <tbody>
        {metrics.map(([name, value]) => (
          <tr key={name}>
            <th scope="row" className="pr-6 text-left font-normal">
              {name}
            </th>
            <td className="text-right">{value.toPrecision(4)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
