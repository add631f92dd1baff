/**
 * llama.cpp's converter turns the rows of q and k of Llama models round within each head, from Hugging Face's halves
 * (0, 1, …, d/2 − 1, d/2, …) to neighbouring rotary pairs (0, d/2, 1, d/2 + 1, …).
 * @param row within a head, in Hugging Face's order
 * @returns where the file has it
 */
function pairedRow(row: number, headRows: number): number {
  const half = headRows / 2;
  return row < half ? 2 * row : 2 * (row - half) + 1;
}

/** @param heads whole heads in the file's order, each of `headRows` rows; they come back in Hugging Face's order */
export function unpairRows(
  heads: Uint8Array<ArrayBuffer>,
  headRows: number,
  rowBytes: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(heads.length);
  for (let row = 0; row * rowBytes < heads.length; row++) {
    const within = row % headRows;
    const from = (row - within + pairedRow(within, headRows)) * rowBytes;
    out.set(heads.subarray(from, from + rowBytes), row * rowBytes);
  }
  return out;
}

/** The way back of {@link unpairRows}. */
export function pairRows(heads: Uint8Array<ArrayBuffer>, headRows: number, rowBytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(heads.length);
  for (let row = 0; row * rowBytes < heads.length; row++) {
    const within = row % headRows;
    const to = (row - within + pairedRow(within, headRows)) * rowBytes;
    out.set(heads.subarray(row * rowBytes, (row + 1) * rowBytes), to);
  }
  return out;
}
