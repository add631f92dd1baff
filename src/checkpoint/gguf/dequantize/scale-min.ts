/** 12 bytes with eight 6-bit scales and eight 6-bit minima, as Q4_K and Q5_K have them (ggml-quants.c, `get_scale_min_k4`). */
export function scaleAt(data: DataView, scales: number, group: number): number {
  if (group < 4) return data.getUint8(scales + group) & 63;
  return (data.getUint8(scales + group + 4) & 15) | ((data.getUint8(scales + group - 4) >> 6) << 4);
}

export function leastAt(data: DataView, scales: number, group: number): number {
  if (group < 4) return data.getUint8(scales + group + 4) & 63;
  return (data.getUint8(scales + group + 4) >> 4) | ((data.getUint8(scales + group) >> 6) << 4);
}
