/**
 * Moves labels apart so that neighbours are at least `gap` from each other, as little as needed, between `low` and
 * `high`; where there is no room for all, they stand evenly and overlap.
 * @param wanted where each would best stand, in any order
 * @returns where each stands, in the same order
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((at, i) => ({ at, i })).toSorted((a, b) => a.at - b.at || a.i - b.i);
  const room = order.length < 2 ? gap : Math.min(gap, (high - low) / (order.length - 1));
  // Clusters of labels that touch move as one, about the middle of where they want to be.
  const clusters: { start: number; readonly members: { readonly at: number; readonly i: number }[] }[] = [];
  const place = (members: readonly { readonly at: number }[]): number => {
    const start = members.reduce((sum, { at }, k) => sum + at - k * room, 0) / Math.max(1, members.length);
    return Math.max(low, Math.min(start, high - (members.length - 1) * room));
  };
  for (const label of order) {
    let cluster = { start: place([label]), members: [label] };
    let before = clusters.at(-1);
    while (before && before.start + before.members.length * room > cluster.start) {
      clusters.pop();
      const members = [...before.members, ...cluster.members];
      cluster = { start: place(members), members };
      before = clusters.at(-1);
    }
    clusters.push(cluster);
  }
  const placed: number[] = Array.from(wanted, () => low);
  for (const { start, members } of clusters) for (const [k, { i }] of members.entries()) placed[i] = start + k * room;
  return placed;
}
